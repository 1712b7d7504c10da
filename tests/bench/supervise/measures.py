"""The measurements. Each gives every host's values, one a round: {name: [value, …]}, in the unit that it names.

The hosts take turns in every round, so that all see the same machine. A child is killed by SIGKILL; the time counts to
the first instruction of its replacement.
"""
import contextlib
import http.client
import os
import signal
import time

import control
import process_table
from hosts import running

STOP_SECONDS = 120


def ms(ns):
    return ns / 1e6


def start(hosts, count, rounds):
    """Launch of the host until its first child runs, and until its last does, ms: two tables."""
    first, last = {host.name: [] for host in hosts}, {host.name: [] for host in hosts}
    for _ in range(rounds):
        for host in hosts:
            with running(host, count) as at_work:
                stamped = [ns for _, ns in at_work.stamps.last.values()]
                first[host.name].append(ms(min(stamped) - at_work.launched))
                last[host.name].append(ms(max(stamped) - at_work.launched))
    return first, last


@contextlib.contextmanager
def side_by_side(hosts, count):
    """All at work at once: those that are not measured just now have nothing to do."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(running(host, count)) for host in hosts]


def kill_one(at_work, index):
    began = time.monotonic_ns()
    os.kill(at_work.stamps.last[index][0], signal.SIGKILL)
    return ms(at_work.stamps.replaced(index, at_work.name) - began)


def restart(at_works, kills):
    """One child after the other killed, ms until its replacement runs. Each has lived for a turn over all of them."""
    values = {a.name: [] for a in at_works}
    for kill in range(kills):
        for at_work in at_works:
            values[at_work.name].append(kill_one(at_work, kill % at_work.count))
    return values


def crash_loop(at_works, kills):
    """The same child killed again as soon as it runs, ms a turn."""
    values = {a.name: [] for a in at_works}
    for _ in range(kills):
        for at_work in at_works:
            kill_one(at_work, 0)
            values[at_work.name].append(kill_one(at_work, 0))
    return values


def mass(at_works, rounds):
    """All children killed at once, ms until the last replacement runs."""
    values = {a.name: [] for a in at_works}
    for _ in range(rounds):
        for at_work in at_works:
            old, began = at_work.pids(), time.monotonic_ns()
            for pid in old.values():
                os.kill(pid, signal.SIGKILL)
            at_work.stamps.all_replaced(old, at_work.name)
            values[at_work.name].append(ms(at_work.stamps.newest() - began))
    return values


def settled_memory(at_work, seconds):
    """Octets once two looks agree: after a start memory still goes back for a moment."""
    pids, deadline, before = at_work.supervisors(), time.monotonic() + seconds, None
    while (now := process_table.pss_octets(pids)) != before and time.monotonic() < deadline:
        before = now
        time.sleep(0.3)
    return now


def memory(hosts, count):
    """Octets of all the host's own processes: PSS, and what is no file on disk; two tables."""
    whole, own = {}, {}
    for host in hosts:
        with running(host, count) as at_work:
            whole[host.name] = [settled_memory(at_work, 5)]
            pids = at_work.supervisors()
            own[host.name] = [process_table.pss_octets(pids, "Pss_Anon") + process_table.memfd_octets(pids)]
    return whole, own


def idle(hosts, count, seconds):
    """While nothing happens: CPU of the host's own processes, per cent of a core, and how often they woke up.

    All in the same seconds; two tables.
    """
    with side_by_side(hosts, count) as at_works:
        time.sleep(min(3, seconds))  # starting has its aftermath: timers, memory given back
        pids = {a.name: a.supervisors() for a in at_works}
        before, began = {n: process_table.cpu_ns(p) for n, p in pids.items()}, time.monotonic_ns()
        woken = {n: process_table.wake_ups(p) for n, p in pids.items()}
        time.sleep(seconds)
        passed = time.monotonic_ns() - began
        return ({n: [(process_table.cpu_ns(p) - before[n]) / passed * 100] for n, p in pids.items()},
                {n: [process_table.wake_ups(p) - woken[n]] for n, p in pids.items()})


def adoption(tenon, count, rounds):
    """The engine killed: ms until its successor answers, ms until it has listed every child, and how many of these
    changed their pid.

    A successor answers once it has adopted what there is, not before. A fresh host each time, because engines that die
    often are restarted later and later.
    """
    times, listings, changed = [], [], 0
    for _ in range(rounds):
        with running(tenon, count) as at_work:
            socket = at_work.folder / "t.sock"
            engine, old = control.get(socket, "/v1/info")["engine_pid"], at_work.pids()
            began = time.monotonic_ns()
            os.kill(engine, signal.SIGKILL)
            successor_answers(socket, engine)
            times.append(ms(time.monotonic_ns() - began))
            listed = listed_processes(socket)
            listings.append(ms(time.monotonic_ns() - began))
            at_work.stamps.read()
            changed += sum(old[index] != listed.get(f"c{index}") or at_work.pids()[index] != old[index] for index in old)
    return times, listings, changed


def successor_answers(socket, engine):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if control.get(socket, "/v1/info")["engine_pid"] != engine:
                return
    raise SystemExit(f"no other engine answered within 30 s of the death of {engine}; the host's log says why")


def listed_processes(socket):
    return {p["id"]: p["pid"] for p in control.get(socket, "/v1/processes")}
