#!/usr/bin/env python3
"""Supervising processes: tenon beside the least that could do it, a bare loop of vfork and SIGCHLD.

Starts, restarts, a crash loop, all killed at once, memory, idle CPU, and the death of the engine. Both take turns in
one run, on children that stamp their own start.
"""
import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures  # noqa: E402
import hosts  # noqa: E402
import measures  # noqa: E402
import process_table  # noqa: E402
from child import end_on_sigterm  # noqa: E402
from figures import Figure, Limit  # noqa: E402

EXAMPLE = "example: supervise.py --tenon build/release/bin/tenon --programs build/release/bin --peers runit"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tenon", required=True, metavar="FILE", help="the host to measure")
    p.add_argument("--programs", required=True, type=Path, metavar="DIR", help="has bench_floor and bench_child")
    p.add_argument("--peers", default="", metavar="NAME,…",
                   help=f"also measure these if they are installed: {', '.join(hosts.PEERS)}")
    p.add_argument("--json", metavar="FILE", help="write the figures there")
    p.add_argument("--smoke", action="store_true", help="a few children, a few kills")
    args = p.parse_args()
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

    def add(self, name, unit, values, limit=None, of=statistics.median, scale=1):
        """One figure a peer: `of` all its values. The limit is judged beside the first peer only, the floor."""
        ours = of(values[self.tenon.name]) / scale
        for number, other in enumerate(self.others):
            theirs = of(values[other.name]) / scale
            self.keep(Figure(name, unit, ours, other.name, theirs, limit=None if number else limit))

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
    report.add(f"{many:,} processes started", "ms", last, Limit(2, "ratio"))
    with measures.side_by_side(everybody, some) as at_work:
        restarts = measures.restart(at_work, kills)
        report.add("killed until replaced, p50", "ms", restarts, Limit(3))
        report.add("killed until replaced, p99", "ms", restarts, of=lambda values: percentile(values, 0.99))
        report.add("crash loop, a turn", "ms", measures.crash_loop(at_work, loops))
        report.add(f"{some} killed until {some} back", "ms", measures.mass(at_work, rounds))
    for count in sizes:
        report.add(f"memory (PSS) with {count:,}", "MB", measures.memory(everybody, count),
                   Limit(12 + 0.006 * count), scale=1e6)
    report.add(f"CPU, idle with {many:,}", "% of a core", measures.idle(everybody, many, idle_seconds), Limit(0.1))
    for count in (2, many) if args.smoke else (10, many):
        times, changed = measures.adoption(tenon, count, rounds)
        report.keep(Figure(f"engine killed, answers with {count:,}", "ms", statistics.median(times), limit=Limit(1000)))
        report.keep(Figure(f"children of {count:,} that it cost", "", changed, limit=Limit(0)))
    return report.found


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
