"""A figure: what was measured, what it is compared with, and the limit that it has to keep.

Every bench of this folder hands its figures over as a JSON list; `run` puts the lists into one table. Values are in the
unit that the figure names. A ratio is always ours / theirs. A figure without a limit is information, without verdict.
"""
import dataclasses
import json
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    amount: float
    of: str = "ours"         # "ours", "ratio" (ours / theirs) or "difference" (ours - theirs)
    at_least: bool = False   # True: more is better

    def kept_by(self, value):
        return value >= self.amount if self.at_least else value <= self.amount

    def text(self, unit):
        sign = ">=" if self.at_least else "<="
        if self.of == "ratio":
            return f"{sign} {self.amount:g} x"
        return f"{sign} {amount_text(self.amount, unit)}{' more' if self.of == 'difference' else ''}"


@dataclass(frozen=True)
class Figure:
    name: str
    unit: str
    ours: float
    peer: str = ""                # what stands beside it; empty: nothing does
    theirs: float | None = None
    ratio: float | None = None    # median over the rounds; None: of the two values above, or none without a peer
    limit: Limit | None = None

    def shown_ratio(self):
        if self.ratio is not None:
            return self.ratio
        return self.ours / self.theirs if self.theirs else None

    def met(self):
        """True or False; None without a limit."""
        if self.limit is None:
            return None
        if self.limit.of == "ours":
            return self.limit.kept_by(self.ours)
        if self.theirs is None:
            raise ValueError(f"{self.name}: a limit on a {self.limit.of} needs a peer's value; name a peer")
        return self.limit.kept_by(self.shown_ratio() if self.limit.of == "ratio" else self.ours - self.theirs)

    def as_json(self):
        return dataclasses.asdict(self) | {"ratio": self.shown_ratio(), "met": self.met()}


def compared(name, unit, pairs, peer, limit=None):
    """The figure of several rounds, each a pair (ours, theirs) measured in turn: medians, also of their ratios."""
    ratios = [ours / theirs for ours, theirs in pairs if theirs]
    return Figure(name, unit, statistics.median(ours for ours, _ in pairs), peer,
                  statistics.median(theirs for _, theirs in pairs),
                  statistics.median(ratios) if ratios else None, limit)


def without_limits(figures):
    """For a smoke run, whose amounts are too small to judge anything."""
    return [dataclasses.replace(figure, limit=None) for figure in figures]


def from_json(item):
    known = {field.name for field in dataclasses.fields(Figure)}
    limit = item.get("limit")
    values = {key: value for key, value in item.items() if key in known and key != "limit"}
    return Figure(**values, limit=Limit(**limit) if limit else None)


def write(path, figures):
    with open(path, "w", encoding="utf-8") as file:
        json.dump([figure.as_json() for figure in figures], file, indent=1)
        file.write("\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        return [from_json(item) for item in json.load(file)]


def amount_text(value, unit):
    """Three or four significant digits; never an exponent."""
    if value is None:
        return "-"
    size = abs(value)
    digits = 0 if value == 0 or size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}".rstrip()


def row(figure):
    ratio = figure.shown_ratio()
    verdict = {True: "met", False: "MISSED", None: ""}[figure.met()]
    return [figure.name, amount_text(figure.ours, figure.unit), figure.peer or "-",
            amount_text(figure.theirs, figure.unit), "-" if ratio is None else f"{ratio:.3g} x",
            figure.limit.text(figure.unit) if figure.limit else "-", verdict]


def table(figures):
    """The text of the table; numbers stand to the right."""
    rows = [["figure", "ours", "compared with", "theirs", "ratio", "limit", ""]] + [row(figure) for figure in figures]
    widths = [max(len(cells[i]) for cells in rows) for i in range(7)]
    right = {1, 3, 4, 5}
    lines = []
    for cells in rows:
        aligned = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths)))
        lines.append("  ".join(aligned).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
