"""The project's sources and what they include: shared by the checks."""
import functools
import re
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
SUFFIXES = {".h", ".hpp", ".c", ".cpp"}


class Include:
    def __init__(self, file, number, line, name, target):
        self.file, self.number, self.line = file, number, line
        self.name = name      # as it is written: "common/text.hpp", "boost/asio.hpp"
        self.target = target  # the project's file that it means, relative to the root; None for everybody else's


def sources(root, folder):
    """Files below root/folder, relative to root, in a stable order."""
    return sorted(p.relative_to(root) for p in (root / folder).rglob("*") if p.suffix in SUFFIXES)


@functools.cache
def includes(root, file):
    """The include lines of one file, resolved as the build does: beside it, in host/, in plugin-api/include."""
    found = []
    for number, line in enumerate((root / file).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        name = match.group(2)
        beside = [(root / file).parent] if match.group(1) == '"' else []
        target = None
        for base in beside + [root / "host", root / "plugin-api/include"]:
            candidate = (base / name).resolve()
            if candidate.is_file() and candidate.is_relative_to(root):
                target = candidate.relative_to(root)
                break
        found.append(Include(file, number, line.strip(), name, target))
    return found
