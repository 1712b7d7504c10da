#!/usr/bin/env python3
"""Proves the dependency rule of ARCHITECTURE.md over every #include line and over host/CMakeLists.txt.

    dependency_rule.py [ROOT]

Prints each offending line with the rule that it breaks; exit 1 if there is one."""
import re
import sys
from pathlib import Path

from source_tree import includes, sources

# What each folder of host/ may include, itself aside. Every arrow points down, so there is no circle of folders.
BELOW = ["app", "cli", "control", "integration", "loader", "transport", "runtime", "message", "keeper", "event",
         "common"]
MAY_USE = {
    "app": set(BELOW[1:]) | {"plugin-api"},
    "cli": {"control", "common"},
    "control": {"event", "common"},
    "integration": {"loader", "transport", "runtime", "message", "keeper", "event", "common", "plugin-api"},
    "loader": {"event", "common", "plugin-api"},
    "transport": {"event", "message", "common"},
    "runtime": {"event", "common"},
    "message": {"common"},
    "keeper": {"common"},
    "event": {"common"},
    "common": set(),
}
# Libraries that only some places may include. A pattern of what is included, and of the files that may.
LIBRARIES = [
    (r"boost/asio", r"host/event/.*|host/control/[^/]+\.cpp|plugins/health_checks/http/.*",
     "Asio stays in host/event, control's one Beast file and the http check"),
    (r"boost/beast", r"host/control/[^/]+\.cpp|plugins/health_checks/http/.*",
     "Beast stays in control's one server file and the http check"),
    (r"boost/dll", r"host/loader/[^/]+\.cpp", "Boost.DLL stays in one .cpp of host/loader"),
    (r"re2/", r"host/message/[^/]+\.cpp", "RE2 stays in one .cpp of host/message"),
    (r"xxhash", r"host/loader/[^/]+\.cpp", "xxHash stays in one .cpp of host/loader"),
    (r"valijson/|simdjson", r"host/message/.*|plugins/.*", "simdjson and valijson stay in host/message"),
    (r"rapidjson/", r"host/common/.*|host/message/.*", "RapidJSON stays in host/common and host/message"),
    (r"nats(/|\.h)", r"plugins/transports/nats/.*", "nats.c stays in its plugin"),
    (r"msgpack", r"plugins/serializers/msgpack/.*", "msgpack stays in its plugin"),
    (r"CLI/", r"host/(cli|app)/.*", "CLI11 stays in host/cli and host/app"),
]
# Libraries that at most one file of a folder may include.
ONE_FILE = [("host/control", r"boost/(asio|beast)"), ("host/loader", r"boost/dll"),
            ("host/message", r"re2/"), ("host/loader", r"xxhash")]


def part_of(path):
    """host/<module>/… → the module; plugin-api/… → "plugin-api"; plugins/<kind>/<name>/… → that folder."""
    parts = path.parts
    if parts[0] == "plugins":
        return "/".join(parts[:-1][:3])
    return parts[1] if parts[0] == "host" else parts[0]


def broken_by(include):
    """The rule that one include line breaks, or None."""
    file = include.file.as_posix()
    for library, places, rule in LIBRARIES:
        if include.target is None and re.match(library, include.name) and not re.fullmatch(places, file):
            return rule
    here = part_of(include.file)
    if here == "plugin-api":
        if include.target is None and ("/" in include.name or not re.fullmatch(r"\w+(\.h)?", include.name)):
            return "plugin-api uses the C and C++ standard headers only"
        if include.target is not None and part_of(include.target) != here:
            return "plugin-api uses nothing else of the project"
        if include.target is None and "/sdk/" not in file and not include.name.endswith(".h"):
            return "the C headers of plugin-api use C standard headers only"
        return None
    if include.target is None or part_of(include.target) == here:
        return None
    there = part_of(include.target)
    if include.file.parts[0] == "plugins":
        helper = re.fullmatch(r"(plugins/(?:\w+/)?)(common|shared)", there)  # compiled into each plugin that uses it
        fine = there == "plugin-api" or (helper and file.startswith(helper.group(1)))
        return None if fine else "a plugin uses plugin-api and its own library, nothing of host/ or of other plugins"
    if there in MAY_USE.get(here, set()):
        return None
    return f"host/{here} may use only: {', '.join(sorted(MAY_USE.get(here, set()))) or 'nothing of the project'}"


def circles(graph):
    """Files that include each other, each circle once, by depth-first search."""
    state, trail, found = {}, [], []

    def visit(file):
        state[file] = "open"
        trail.append(file)
        for target in graph.get(file, []):
            if state.get(target) == "open":
                found.append(trail[trail.index(target):] + [target])
            elif target not in state:
                visit(target)
        trail.pop()
        state[file] = "done"

    for file in graph:
        if file not in state:
            visit(file)
    return found


def check(root):
    """Every breach as one line of text."""
    breaches, graph = [], {}
    files = [file for folder in ("host", "plugins", "plugin-api") for file in sources(root, folder)]
    lines = [include for file in files for include in includes(root, file)]
    for include in lines:
        rule = broken_by(include)
        if rule:
            breaches.append(f"{include.file}:{include.number}: {include.line}\n    {rule}")
        if include.target is not None:
            graph.setdefault(include.file, []).append(include.target)
    for folder, library in ONE_FILE:
        files = sorted({i.file for i in lines if i.file.is_relative_to(folder) and re.match(library, i.name)})
        if len(files) > 1:
            breaches.append(f"{', '.join(map(str, files))}: {library}\n    one file of {folder} may include it")
    for circle in circles(graph):
        breaches.append(" -> ".join(map(str, circle)) + "\n    nothing may be a circle")
    cmake = (root / "host/CMakeLists.txt").read_text(encoding="utf-8")
    for module, named in re.findall(r"tenon_module\((\w+)\s+DEPENDS\s+([a-z \n]+)", cmake):
        for wrong in set(named.split()) - MAY_USE.get(module, set()):
            breaches.append(f"host/CMakeLists.txt: tenon_module({module} DEPENDS … {wrong} …)\n"
                            f"    host/{module} may not use host/{wrong}")
    return breaches


if __name__ == "__main__":
    breaches = check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve())
    print("\n".join(breaches) or "every include keeps to the dependency rule")
    sys.exit(1 if breaches else 0)
