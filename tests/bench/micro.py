"""The Google Benchmark programs: runs one, and picks the figures that somebody claims out of its output.

All measurements of a program are repeated and shuffled among each other, and the median counts, so that a figure and
its peer have seen the same machine. CPU time is what is compared: others may be using the cores.
"""
import json
import os
import tempfile
from dataclasses import dataclass

from child import finished
from figures import Figure, Limit


@dataclass(frozen=True)
class Claim:
    name: str
    benchmark: str                # as Google Benchmark prints it, with its arguments
    peer: str = ""                # another benchmark of the same program
    peer_name: str = ""
    limit: Limit | None = None
    counter: str = "cpu_time"     # or a counter that the program keeps
    unit: str = "ns"


MATCH = [Claim(f"match a topic, hot, {size:,} subscriptions", f"match_hot/{size}", f"match_uncached/{size}",
               "same, no cache", Limit(100)) for size in (10, 1_000, 100_000, 1_000_000)]
# Linear means that a token costs the same in a short topic and in a long one. Half more is what caches of the processor
# may take; a match with a power or an exponential in it is many times over that.
TOKENS = Claim("match, cost of one of 64 tokens", "match_by_tokens/64/0", "match_by_tokens/4/0", "one of 4 tokens",
               Limit(1.5, "ratio"), "ns_a_token")

CLAIMS = {
    "routing_bench": MATCH + [TOKENS],
    "delivery_bench": [
        Claim("route an event to 1 receiver", "publish_direct/1", "copy_a_message", "copying it"),
        Claim("route an event to 10 receivers", "publish_direct/10", "publish_direct/1", "to 1 receiver"),
        Claim("at_least_once, with its ack", "publish_at_least_once/0", "publish_direct/1", "at_most_once"),
        Claim("the same, 1,000 in its hands", "publish_at_least_once/1000", "publish_at_least_once/0", "none"),
        Claim("allocations, at_most_once", "publish_direct/1", limit=Limit(0), counter="allocations", unit=""),
        Claim("allocations, at_least_once", "publish_at_least_once/1000", limit=Limit(0), counter="allocations", unit=""),
        Claim("schema check of 200 B", "validate_200_octets")],
    "json_bench": [
        Claim("json, read 12 attributes + 200 B", "json_read_12_attributes/200", "json_copy/200", "memcpy", Limit(800)),
        Claim("json, write the same", "json_write_12_attributes/200", "json_copy/200", "memcpy")],
    "msgpack_bench": [
        Claim("msgpack, read 12 attributes + 200 B", "msgpack_read_12_attributes/200",
              "msgpack_c_visits_12_attributes/200", "msgpack-c, visitor", Limit(400)),
        Claim("msgpack, write the same", "msgpack_write_12_attributes/200")],
    "abi_call_bench": [
        Claim("call through the plugin ABI", "abi_call", "virtual_call", "virtual call", Limit(3, "difference")),
        Claim("the same with a breadcrumb", "abi_call_with_breadcrumb/event_id:26", "virtual_call", "virtual call")],
}


def run(program, smoke):
    """Runs one program; its lines go to the terminal. Returns its figures."""
    repeat = ["--benchmark_min_time=0"] if smoke else [
        "--benchmark_min_time=0.1", "--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true",
        "--benchmark_report_aggregates_only=true"]
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        finished([program, *repeat, f"--benchmark_out={out}", "--benchmark_out_format=json"])
        with open(out, encoding="utf-8") as file:
            return figures(os.path.basename(program), json.load(file)["benchmarks"])


def figures(program, measured):
    """The figures that this program stands for; one that no claim names gives one for each of its benchmarks."""
    medians = {m["run_name"]: m for m in measured if m["run_type"] == "iteration" or m["aggregate_name"] == "median"}
    claims = CLAIMS.get(program) or [Claim(name, name) for name in medians]
    return [figure(claim, medians, program) for claim in claims]


def figure(claim, medians, program):
    for name in filter(None, (claim.benchmark, claim.peer)):
        if name not in medians or claim.counter not in medians[name]:
            raise SystemExit(f"{program} has no '{name}' with '{claim.counter}'; mend CLAIMS in tests/bench/micro.py")
    value = in_unit(medians[claim.benchmark], claim)
    theirs = in_unit(medians[claim.peer], claim) if claim.peer else None
    return Figure(claim.name, claim.unit, value, claim.peer_name, theirs, limit=claim.limit)


def in_unit(measured, claim):
    value = measured[claim.counter]
    if claim.counter == "cpu_time":
        return value * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[measured["time_unit"]]
    return value * 1e9 if claim.unit == "ns" else value  # counters of time are in seconds
