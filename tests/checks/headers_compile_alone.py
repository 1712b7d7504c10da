#!/usr/bin/env python3
"""Every header compiles alone: host/ as C++20, plugin-api's C headers as C99 and C++17, its SDK as C++17, all pedantic.

    headers_compile_alone.py --cache FILE [--cc CC] [--cxx CXX] [--jobs N] [--flags "-I…"] [ROOT]

Nothing is generated but the cache: what passed is not compiled again until it, or a project file that it includes, or a
flag, has changed. Exit 1 with the compiler's words if a header fails."""
import argparse
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_tree import includes, sources

STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror"]


def commands(root, options):
    """Pairs of a file and the command that must accept it on its standard input."""
    api = ["-I", str(root / "plugin-api/include")]
    c99 = [options.cc, "-x", "c", "-std=c99", *STRICT, *api]
    cxx17 = [options.cxx, "-x", "c++", "-std=c++17", *STRICT, *api]
    cxx20 = [options.cxx, "-x", "c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
             "-I", str(root / "host"), *api, *options.flags.split()]
    for file in sources(root, "host"):
        if file.suffix == ".hpp":
            yield file, cxx20
    for file in sources(root, "plugin-api/include"):
        if file.suffix == ".h":
            yield file, c99
        yield file, cxx17
    # Headers are mostly macros to C: a plugin that uses them has to pass as well.
    good = Path("tests/conformance/shelf/good.c")
    if (root / good).exists():
        yield good, c99
        yield good, [*cxx17, "-Wno-missing-field-initializers"]


def closure(root, file, seen):
    """The file and every project file that it includes, directly or not."""
    if file not in seen:
        seen.add(file)
        for include in includes(root, file):
            if include.target is not None:
                closure(root, include.target, seen)
    return seen


def key_of(root, file, command, compiler):
    digest = hashlib.sha256(json.dumps([str(file), command, compiler]).encode())
    for part in sorted(closure(root, file, set())):
        digest.update((root / part).read_bytes())
    return digest.hexdigest()


def compile_alone(root, file, command):
    """The compiler's complaints; empty if it has none."""
    text = f'#include "{root / file}"\n'
    run = subprocess.run([*command, "-fsyntax-only", "-"], input=text, capture_output=True, text=True, check=False)
    return run.stderr if run.returncode != 0 else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", default=Path(__file__).parents[2])
    parser.add_argument("--cache", required=True, type=Path)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--flags", default="")
    options = parser.parse_args()
    root = Path(options.root).resolve()

    passed = set(options.cache.read_text().split()) if options.cache.exists() else set()
    compiler = subprocess.run([options.cxx, "--version"], capture_output=True, text=True, check=True).stdout
    work = [(file, command, key_of(root, file, command, compiler)) for file, command in commands(root, options)]
    todo = [item for item in work if item[2] not in passed]
    with ThreadPoolExecutor(options.jobs) as pool:
        complaints = list(pool.map(lambda item: compile_alone(root, item[0], item[1]), todo))
    failed = [(item, words) for item, words in zip(todo, complaints) if words]
    for (file, command, _), words in failed:
        print(f"{file} does not compile alone with {' '.join(command[3:5])}:\n{words}")
    options.cache.write_text("\n".join(sorted({item[2] for item in work} - {item[2] for item, _ in failed})))
    print(f"{len(work)} headers, {len(todo)} compiled, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
