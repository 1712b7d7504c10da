#!/usr/bin/env python3
"""Supervising processes: tenon beside the least that could do it, a bare loop of vfork and SIGCHLD.

Starts, restarts, a crash loop, all killed at once, memory, idle CPU, and the death of the engine. All take turns in one
run, on children that stamp their own start.
"""
import argparse
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures  # noqa: E402
import hosts  # noqa: E402
import large  # noqa: E402
import measures  # noqa: E402
import process_table  # noqa: E402
from child import end_on_sigterm  # noqa: E402
from figures import Figure, Limit  # noqa: E402

EXAMPLE = "example: supervise.py --tenon build/release/bin/tenon --programs build/release/bin --peers runit,otp"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tenon", required=True, type=Path, metavar="FILE", help="the host to measure")
    p.add_argument("--programs", required=True, type=Path, metavar="DIR", help="has bench_floor and bench_child")
    p.add_argument("--peers", default="", metavar="NAME,…",
                   help=f"also measure these if they are installed: {', '.join(hosts.PEERS)}")
    p.add_argument("--large", action="store_true", default="TENON_LONG" in os.environ,
                   help="also 10,000 processes, about a minute more; the default where TENON_LONG is set")
    p.add_argument("--json", metavar="FILE", help="write the figures there")
    p.add_argument("--smoke", action="store_true", help="a few children, a few kills")
    args = p.parse_args()
    args.tenon, args.programs = args.tenon.resolve(), args.programs.resolve()
    args.peers = [name for name in args.peers.split(",") if name]
    missing = [name for name in ("bench_floor", "bench_child") if not (args.programs / name).exists()]
    if missing:
        sys.exit(f"{' and '.join(missing)} missing in {args.programs}; build them: "
                 "ninja -C BUILD bench_floor bench_child")
    return args


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


class Report:
    def __init__(self, tenon, others, judged):
        self.tenon, self.others, self.judged, self.found = tenon, others, judged, []

    def add(self, name, unit, values, limit=None, of=statistics.median, scale=1, limit_beside_peers=None):
        """One figure a peer: `of` all its values. `limit` is judged beside the first peer, the floor."""
        ours = of(values[self.tenon.name]) / scale
        for number, other in enumerate(self.others):
            theirs = of(values[other.name]) / scale
            self.keep(Figure(name, unit, ours, other.name, theirs, limit=limit_beside_peers if number else limit))

    def keep(self, figure):
        """Prints it as well: the whole takes minutes."""
        self.found += [figure] if self.judged else figures.without_limits([figure])
        print("; ".join(cell for cell in figures.row(self.found[-1]) if cell not in ("", "-")), flush=True)


def measure(args):
    floor, tenon = hosts.Floor(args.programs), hosts.Tenon(args.tenon, args.programs)
    others = [floor, *hosts.peers(args.peers, args.programs)]
    everybody, report = [floor, tenon, *others[1:]], Report(tenon, others, not args.smoke)
    many, some, sizes = (20, 5, (1, 20)) if args.smoke else (1000, 200, (1, 100, 1000))
    kills, loops, rounds, idle_seconds = (5, 2, 1, 1) if args.smoke else (200, 50, 5, 20)

    first, last = measures.start(everybody, many, rounds)
    report.add("launched until the first one runs", "ms", first)
    report.add(f"{many:,} processes started", "ms", last, Limit(1.5, "ratio"))
    with measures.side_by_side(everybody, some) as at_work:
        restarts = measures.restart(at_work, kills)
        report.add("killed until replaced, p50", "ms", restarts, Limit(1.5, "ratio"),
                   limit_beside_peers=Limit(1, "ratio"))
        report.add("killed until replaced, p99", "ms", restarts, of=lambda values: percentile(values, 0.99))
        report.add("crash loop, a turn", "ms", measures.crash_loop(at_work, loops))
        report.add(f"{some} killed until {some} back", "ms", measures.mass(at_work, rounds), Limit(1.5, "ratio"))
    add_memory(report, everybody, sizes)
    cpu, woken = measures.idle(everybody, many, idle_seconds)
    report.add(f"CPU, idle with {many:,}", "% of a core", cpu, Limit(0.1))
    report.add(f"wake-ups in {idle_seconds} s, idle with {many:,}", "", woken, Limit(0))
    for count in (2, many) if args.smoke else (10, many):
        times, listings, changed = measures.adoption(tenon, count, rounds)
        report.keep(Figure(f"engine killed, {count:,} adopted", "ms", statistics.median(times), limit=Limit(100)))
        report.keep(Figure(f"engine killed, {count:,} listed", "ms", statistics.median(listings)))
        report.keep(Figure(f"children of {count:,} that it cost", "", changed, limit=Limit(0)))
    if args.large:
        add_large(report, floor, tenon, 10_000)
    return report.found


def add_memory(report, everybody, sizes):
    """For each size in all; and what each process more costs, without the programs' files, whose share is by chance."""
    found = {count: measures.memory(everybody, count) for count in sizes}
    for count, (whole, _) in found.items():
        report.add(f"memory (PSS) with {count:,}", "MB", whole, Limit(12 + 0.004 * count), scale=1e6)
    few, many = found[min(sizes)][1], found[max(sizes)][1]
    each = {name: [(many[name][0] - few[name][0]) / (max(sizes) - min(sizes))] for name in many}
    report.add(f"memory a process, of {max(sizes):,}", "kB", each, Limit(4), scale=1e3)


def add_large(report, floor, tenon, count):
    theirs, ours = large.life(floor, count), large.life(tenon, count)

    def add(what, name, unit="ms", scale=1):
        peer = floor.name if what in theirs else ""
        report.keep(Figure(name, unit, ours[what] / scale, peer, theirs[what] / scale if peer else None))

    add("started", f"{count:,} processes started")
    add("memory", f"memory (PSS) of {count:,}, a process", "kB", 1e3)
    add("replaced", f"one of {count:,} killed until replaced")
    add("listed", f"`ps --json` of {count:,}")
    add("adopted", f"engine killed, {count:,} adopted")
    add("stopped", f"{count:,} stopped")


def main():
    end_on_sigterm()
    args = arguments()
    process_table.adopt_orphans()
    found = measure(args)
    print(figures.table(found))
    if args.json:
        figures.write(args.json, found)


if __name__ == "__main__":
    main()
