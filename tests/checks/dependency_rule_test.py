#!/usr/bin/env python3
"""A small tree that breaks each rule once, to see that dependency_rule.py notices."""
import tempfile
import unittest
from pathlib import Path

import dependency_rule


class DependencyRule(unittest.TestCase):
    def breaches(self, files, cmake=""):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory).resolve()
            for folder in ("host", "plugins", "plugin-api/include/tenon"):
                (root / folder).mkdir(parents=True)
            for name, text in {"host/CMakeLists.txt": cmake, "host/common/text.hpp": "", "host/message/topic.hpp": "",
                               "plugin-api/include/tenon/types.h": "#include <stdint.h>\n", **files}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return dependency_rule.check(root)

    def assert_broken(self, file, line, words):
        breaches = self.breaches({file: f"// first\n{line}\n"})
        self.assertEqual(len(breaches), 1, breaches)
        self.assertIn(f"{file}:2: {line}", breaches[0])
        self.assertIn(words, breaches[0])

    def test_what_is_allowed_passes(self):
        self.assertEqual(self.breaches({
            "host/message/a.cpp": '#include "message/topic.hpp"\n#include "common/text.hpp"\n#include <vector>\n',
            "host/loader/a.cpp": "#include <tenon/types.h>\n#include <boost/dll/shared_library.hpp>\n",
            "host/event/a.cpp": "#include <boost/asio/io_context.hpp>\n",
            "plugins/transports/nats/a.cpp": '#include <nats/nats.h>\n#include <tenon/types.h>\n',
            "plugin-api/include/tenon/sdk/a.hpp": '#include <string>\n#include "../types.h"\n',
            "plugins/common/c.hpp": "",
            "plugins/transports/shared/d.hpp": '#include "../../common/c.hpp"\n',
            "plugins/transports/local/a.cpp": '#include "../shared/d.hpp"\n',
        }, "tenon_module(message DEPENDS common LIBRARIES simdjson::simdjson)\n"), [])

    def test_an_arrow_that_points_up_or_sideways(self):
        self.assert_broken("host/common/a.hpp", '#include "message/topic.hpp"', "host/common may use only")
        self.assert_broken("host/runtime/a.cpp", '#include "message/topic.hpp"', "may use only: common, event")
        self.assert_broken("host/runtime/a.cpp", '#include "../message/topic.hpp"', "host/runtime may use only")
        self.assert_broken("host/message/a.cpp", "#include <tenon/types.h>", "host/message may use only: common")

    def test_a_library_in_the_wrong_place(self):
        self.assert_broken("host/runtime/a.cpp", "#include <boost/asio/ip/tcp.hpp>", "Asio stays in host/event")
        self.assert_broken("host/control/a.hpp", "#include <boost/beast/http.hpp>", "Beast stays in control's one")
        self.assert_broken("host/app/a.cpp", "#include <re2/re2.h>", "RE2 stays in one .cpp")
        self.assert_broken("host/transport/a.cpp", "#include <nats/nats.h>", "nats.c stays in its plugin")

    def test_a_second_file_with_beast(self):
        breaches = self.breaches({f"host/control/{name}.cpp": "#include <boost/beast/http.hpp>\n" for name in "ab"})
        self.assertEqual(len(breaches), 1)
        self.assertIn("one file of host/control", breaches[0])

    def test_a_plugin_that_reaches_into_the_host_or_another_plugin(self):
        self.assert_broken("plugins/serializers/json/a.cpp", '#include "common/text.hpp"', "a plugin uses plugin-api")
        breaches = self.breaches({"plugins/serializers/json/a.hpp": "",
                                  "plugins/serializers/msgpack/b.cpp": '#include "../json/a.hpp"\n'})
        self.assertEqual(len(breaches), 1)
        breaches = self.breaches({"plugins/serializers/shared/a.hpp": "",
                                  "plugins/transports/nats/b.cpp": '#include "../../serializers/shared/a.hpp"\n'})
        self.assertEqual(len(breaches), 1)

    def test_a_promise_that_needs_more_than_the_standard_headers(self):
        self.assert_broken("plugin-api/include/tenon/a.h", "#include <sys/types.h>", "standard headers only")
        self.assert_broken("plugin-api/include/tenon/a.h", "#include <vector>", "C standard headers only")
        self.assert_broken("plugin-api/include/tenon/sdk/a.hpp", '#include "common/text.hpp"', "nothing else")

    def test_a_circle_of_files(self):
        breaches = self.breaches({"host/event/a.hpp": '#include "event/b.hpp"\n',
                                  "host/event/b.hpp": '#include "event/a.hpp"\n'})
        self.assertEqual(len(breaches), 1)
        self.assertIn("circle", breaches[0])

    def test_a_link_that_points_up(self):
        breaches = self.breaches({}, "tenon_module(event DEPENDS common keeper)\n")
        self.assertEqual(len(breaches), 1)
        self.assertIn("host/event may not use host/keeper", breaches[0])


if __name__ == "__main__":
    unittest.main()
