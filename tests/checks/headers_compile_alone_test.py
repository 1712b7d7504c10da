#!/usr/bin/env python3
"""That headers_compile_alone.py notices a header that leans on others, and what its cache must not hide.

    headers_compile_alone_test.py CC CXX"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).with_name("headers_compile_alone.py")
CC, CXX = sys.argv.pop(1), sys.argv.pop(1)


class HeadersCompileAlone(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name).resolve()
        self.write("host/common/whole.hpp", "#pragma once\n#include <string>\ninline std::string name;\n")
        self.write("host/common/user.hpp", '#pragma once\n#include "common/whole.hpp"\ninline std::string other = name;\n')
        self.write("plugin-api/include/tenon/types.h", "#include <stdint.h>\ntypedef int32_t status;\n")

    def tearDown(self):
        self.directory.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_check(self):
        command = [sys.executable, CHECK, "--cache", self.root / "cache", "--cc", CC, "--cxx", CXX, self.root]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        return run.returncode, run.stdout

    def test_what_is_whole_passes_and_is_not_compiled_twice(self):
        self.assertEqual(self.run_check(), (0, "4 headers, 4 compiled, 0 failed\n"))
        self.assertEqual(self.run_check(), (0, "4 headers, 0 compiled, 0 failed\n"))

    def test_a_change_in_what_a_header_includes_compiles_it_again(self):
        self.run_check()
        self.write("host/common/whole.hpp", "#pragma once\n#include <string>\ninline std::string renamed;\n")
        code, text = self.run_check()
        self.assertEqual(code, 1)
        self.assertIn("host/common/user.hpp does not compile alone", text)
        self.assertIn("4 headers, 2 compiled, 1 failed", text)
        self.assertEqual(self.run_check()[0], 1)

    def test_a_promise_that_is_not_strict_c99(self):
        self.write("plugin-api/include/tenon/types.h", "struct empty { };\n")
        code, text = self.run_check()
        self.assertEqual(code, 1)
        self.assertIn("plugin-api/include/tenon/types.h does not compile alone", text)


if __name__ == "__main__":
    unittest.main()
