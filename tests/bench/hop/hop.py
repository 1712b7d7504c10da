#!/usr/bin/env python3
"""Throughput and round trip of worker -> host -> worker, beside a C relay that only copies and beside nats-server.

Every round runs all of them in turn; medians count. The event has 256 octets of data in MessagePack. The round trip is
measured a second time with everything on one core: waking another core costs more than routing, and hides it.
"""
import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures  # noqa: E402
from child import end_on_sigterm  # noqa: E402
from figures import Limit  # noqa: E402
from routers import Amounts, Nats, Relay, Tenon  # noqa: E402

EXAMPLE = "example: hop.py --tenon build/release/bin/tenon --programs build/release/bin --rounds 5"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tenon", required=True, metavar="FILE", help="the host to measure")
    p.add_argument("--programs", required=True, type=Path, metavar="DIR", help="has hop_tool and nats_hop_tool")
    p.add_argument("--events", type=int, default=2_000_000, metavar="N")
    p.add_argument("--pings", type=int, default=20_000, metavar="N")
    p.add_argument("--batch", type=int, default=65536, metavar="OCTETS",
                   help="what the producer puts into one write (65536)")
    p.add_argument("--rounds", type=int, default=5, metavar="N")
    p.add_argument("--json", metavar="FILE", help="write the figures there")
    p.add_argument("--smoke", action="store_true", help="tiny amounts, one round")
    args = p.parse_args()
    if not (args.programs / "hop_tool").exists():
        sys.exit(f"hop_tool is missing in {args.programs}; build it: ninja -C BUILD hop_tool nats_hop_tool")
    if args.smoke:
        args.events, args.pings, args.rounds = 20_000, 200, 1
    return args


@contextlib.contextmanager
def one_core():
    """Children inherit it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def in_turn(routers, measure, rounds, label):
    """For each router its values, one a round."""
    values = {router.name: [] for router in routers}
    for _ in range(rounds):
        for router in routers:
            values[router.name].append(measure(router))
            print(f"{label}: {router.name} {values[router.name][-1]}", flush=True)
    return values


def beside(values, peer, name, unit, limit=None, part=lambda value: value):
    pairs = [(part(ours), part(theirs)) for ours, theirs in zip(values[Tenon.name], values[peer.name])]
    return figures.compared(name, unit, pairs, peer.name, limit)


def measure(args, folder):
    relay, tenon, nats = Relay(args.programs), Tenon(args.tenon, args.programs), Nats(args.programs)
    amounts = Amounts(args.events, args.pings, args.batch)
    peers = [relay, nats]
    if why := nats.missing():
        print(why)
        peers = [relay]
    routers = [relay, tenon, *peers[1:]]
    rates = in_turn(routers, lambda r: r.throughput(amounts, folder), args.rounds, "events/s")
    trips = in_turn(routers, lambda r: r.round_trip(amounts, folder), args.rounds, "round trip, us, p50 and p99")
    with one_core():
        pinned = in_turn(routers, lambda r: r.round_trip(amounts, folder), args.rounds, "the same on one core")
    found = [beside(rates, relay, "worker to worker, events", "1/s", Limit(1_000_000, at_least=True))]
    for peer in peers[1:]:
        found.append(beside(rates, peer, "worker to worker, events", "1/s", Limit(1, "ratio", at_least=True)))
    for label, values in (("round trip", trips), ("round trip, one core", pinned)):
        for peer in peers:
            limit = Limit(1, "ratio") if peer is nats else Limit(1.5, "ratio") if values is trips else None
            found.append(beside(values, peer, f"{label}, p50", "us", limit, lambda value: value[0]))
            found.append(beside(values, peer, f"{label}, p99", "us", None, lambda value: value[1]))
    return found


def main():
    end_on_sigterm()
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(args, Path(folder))
    if args.smoke:
        found = figures.without_limits(found)
    print(figures.table(found))
    if args.json:
        figures.write(args.json, found)


if __name__ == "__main__":
    main()
