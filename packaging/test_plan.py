#!/usr/bin/env python3
"""Joins the tests of several build trees into one ctest run, so that one summary speaks for all of them.

usage: test_plan.py targets TREE=LABELS[:EXCLUDE]
       test_plan.py write OUTPUT TREE=LABELS[:EXCLUDE]...

TREE is a configured build tree, LABELS a regular expression over the tests' labels, EXCLUDE one over their names. `targets`
prints what ninja has to build for the tests that are chosen from the tree; `write` makes OUTPUT/CTestTestfile.cmake with all of
them, each as <tree>/<test>. A test whose program was not built is listed all the same, and fails. Benches are no tests to
ctest; where LABELS matches "bench", each gets a test that lets it take one short turn.
"""

import json
import os
import re
import subprocess
import sys

# Properties that ctest must see again; the rest is about how ctest found the test.
KEPT = ("TIMEOUT", "LABELS", "ENVIRONMENT", "RUN_SERIAL", "PROCESSORS", "RESOURCE_LOCK", "WORKING_DIRECTORY",
        "SKIP_RETURN_CODE", "COST")


class Tree:
    def __init__(self, argument):
        path, _, choice = argument.partition("=")
        labels, _, exclude = choice.partition(":")
        self.path = os.path.realpath(path)
        self.name = os.path.basename(self.path)
        self.labels = re.compile(labels)
        self.exclude = re.compile(exclude) if exclude else None

    def tests(self):
        listing = subprocess.run(["ctest", "--show-only=json-v1"], cwd=self.path, check=True, stdout=subprocess.PIPE)
        for test in json.loads(listing.stdout)["tests"]:
            properties = {p["name"]: p["value"] for p in test.get("properties", [])}
            if not self.labels.search(" ".join(properties.get("LABELS", []))):
                continue
            if self.exclude and self.exclude.search(test["name"]):
                continue
            # ctest leaves the command out when it has looked for the program and found none.
            yield test["name"], test.get("command"), properties
        if self.labels.search("bench"):
            yield from self.benches()

    def benches(self):
        listing = subprocess.run(["ninja", "-t", "targets", "all"], cwd=self.path, check=True, stdout=subprocess.PIPE)
        for name in sorted(set(re.findall(r"^bin/(\w+_bench):", listing.stdout.decode(), re.MULTILINE))):
            command = [os.path.join(self.path, "bin", name), "--benchmark_min_time=0"]
            yield name, command, {"LABELS": ["bench"], "TIMEOUT": 120}

    def outputs(self):
        """What ninja calls the programs of this tree."""
        prefix = self.path + os.sep
        for name, command, _ in self.tests():
            program = command[0] if command else "bin/" + name
            if program.startswith(prefix):
                program = program[len(prefix):]
            if not os.path.isabs(program):
                yield program


def quoted(value):
    return "[==[" + value + "]==]"


def as_text(value):
    if isinstance(value, list):
        return ";".join(str(item) for item in value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value)


def entry(tree, name, command, properties):
    full = f"{tree.name}/{name}"
    command = command or [os.path.join(tree.path, "bin", name)]
    lines = [f"add_test({quoted(full)} {' '.join(quoted(word) for word in command)})"]
    kept = {key: as_text(properties[key]) for key in KEPT if key in properties}
    kept["LABELS"] = ";".join([tree.name, *properties.get("LABELS", [])])
    kept.setdefault("WORKING_DIRECTORY", tree.path)
    pairs = " ".join(f"{key} {quoted(value)}" for key, value in kept.items())
    lines.append(f"set_tests_properties({quoted(full)} PROPERTIES {pairs})")
    return "\n".join(lines)


def write(output, trees):
    entries = [entry(tree, *test) for tree in trees for test in tree.tests()]
    if not entries:
        sys.exit("test_plan.py: no test was chosen; look at the labels")
    os.makedirs(output, exist_ok=True)
    with open(os.path.join(output, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
        file.write("\n".join(entries) + "\n")


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "targets":
        print("\n".join(dict.fromkeys(Tree(arguments[1]).outputs())))
    elif len(arguments) >= 3 and arguments[0] == "write":
        write(arguments[1], [Tree(argument) for argument in arguments[2:]])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
