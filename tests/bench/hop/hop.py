#!/usr/bin/env python3
"""Throughput and round trip of worker -> host -> worker beside a C relay that only copies, in turn in one run.

usage: hop.py --tenon BIN --tool HOP_TOOL [--events N] [--pings N] [--rounds N] [--mode at_most_once|at_least_once]

Prints one line a measurement and the medians with their ratio. Absolute numbers drift with the machine; ratios hold.
"""
import argparse, json, os, signal, socket, statistics, subprocess, sys, tempfile, time


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tenon", required=True)
    p.add_argument("--tool", required=True)
    p.add_argument("--events", type=int, default=2_000_000)
    p.add_argument("--pings", type=int, default=20_000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batch", type=int, default=65536)
    return p.parse_args()


def through_relay(args, first, second):
    """Runs two ends with the relay between; each end is a function of its descriptor that gives a command line."""
    a1, a2 = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    b1, b2 = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    relay = subprocess.Popen([args.tool, "relay", str(a2.fileno()), str(b2.fileno())], pass_fds=(a2.fileno(), b2.fileno()))
    ends = [subprocess.Popen([args.tool] + command(s.fileno()), pass_fds=(s.fileno(),))
            for command, s in ((first, a1), (second, b1))]
    for s in (a1, a2, b1, b2):
        s.close()
    return relay, ends


def wait_for(path, process, seconds=120):
    """Waits for the result file; gives up when the process that should make it has ended."""
    deadline = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > deadline or process.poll() is not None and not os.path.exists(path):
            raise SystemExit(f"no result in {path}")
        time.sleep(0.01)
    with open(path) as f:
        return json.load(f)


def relay_throughput(args, folder):
    result = f"{folder}/relay.json"
    relay, ends = through_relay(args, lambda fd: ["produce", str(fd), str(args.events), str(args.batch)],
                                lambda fd: ["consume", str(fd), str(args.events), result])
    value = wait_for(result, ends[1])
    for p in ends + [relay]:
        p.wait()
    os.remove(result)
    return value["per_second"]


def relay_round_trip(args, folder):
    result = f"{folder}/relay.json"
    relay, ends = through_relay(args, lambda fd: ["ping", str(fd), str(args.pings), result], lambda fd: ["echo", str(fd)])
    value = wait_for(result, ends[0])
    for p in ends + [relay]:
        p.wait()
    os.remove(result)
    return value["p50_us"]


def run_host(args, folder, children, result, watched_result=True):
    config = {"node": "bench", "control": {"socket": f"{folder}/t.sock"}, "logging": {"level": "error"},
              "schemas": {"mode": "off"}, "supervision": {"children": children}}
    with open(f"{folder}/tenon.json", "w") as f:
        json.dump(config, f)
    host = subprocess.Popen([args.tenon, "run", f"{folder}/tenon.json"])
    try:
        return wait_for(result, host)
    finally:
        host.send_signal(signal.SIGTERM)
        host.wait()
        if os.path.exists(result):
            os.remove(result)


def worker(args, name, command, subscribe, depends=()):
    return {"id": name, "command": [args.tool] + command, "restart": {"policy": "never"}, "depends_on": list(depends),
            "channel": {"kind": "socket", "framing": "packet4", "serializer": "msgpack"},
            "mailbox": {"capacity": 1024, "overflow": "block"},
            "subscribe": [{"topic": t} for t in subscribe]}


def host_throughput(args, folder):
    result = f"{folder}/host.json"
    return run_host(args, folder, [
        worker(args, "consumer", ["consume", "0", str(args.events), result], ["bench.event"]),
        worker(args, "producer", ["produce", "0", str(args.events), str(args.batch)], [], ["consumer"])], result)["per_second"]


def host_round_trip(args, folder):
    result = f"{folder}/host.json"
    return run_host(args, folder, [
        worker(args, "echo", ["echo", "0"], ["bench.ping"]),
        worker(args, "ping", ["ping", "0", str(args.pings), result], ["bench.pong"], ["echo"])], result)["p50_us"]


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        for name, peer, ours, unit in (("throughput", relay_throughput, host_throughput, "events/s"),
                                       ("round trip p50", relay_round_trip, host_round_trip, "us")):
            pairs = [(peer(args, folder), ours(args, folder)) for _ in range(args.rounds)]
            for theirs, mine in pairs:
                print(f"{name}: relay {theirs:,.1f} {unit}, tenon {mine:,.1f} {unit}, ratio {mine / theirs:.3f}")
            print(f"{name}: median relay {statistics.median(p[0] for p in pairs):,.1f}, tenon "
                  f"{statistics.median(p[1] for p in pairs):,.1f} {unit}, ratio "
                  f"{statistics.median(p[1] / p[0] for p in pairs):.3f}", flush=True)


if __name__ == "__main__":
    main()
