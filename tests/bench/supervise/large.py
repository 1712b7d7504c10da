"""Thousands of processes: that a host of that size starts, answers, loses none, and ends, and how long it takes.

What is lost is an error, not a figure.
"""
import contextlib
import json
import os
import signal
import subprocess
import time

import measures
import process_table
from hosts import Running
from measures import ms


def life(host, count):
    """{what: value} of one host's life: start and stop in ms, memory in octets a process."""
    at_work = Running(host, count)
    try:
        found = {"started": ms(at_work.stamps.newest() - at_work.launched)}
        found["memory"] = measures.settled_memory(at_work, 10) / count
        found["replaced"] = measures.kill_one(at_work, count // 2)
        if hasattr(host, "control"):
            found |= control_answers(host, at_work)
        children = list(at_work.pids().values())
        none_lost(host.name, children, count)
        found["stopped"] = stopped(at_work, children)
    except BaseException:
        at_work.print_log()
        raise
    finally:
        at_work.stop()
    return found


def none_lost(name, children, count):
    alive = process_table.alive(children)
    if len(set(alive)) != count:
        raise SystemExit(f"{name} runs {len(alive)} of {count} processes; its log says why")


def control_answers(host, at_work):
    """`ps` of all of them, and the engine killed until its successor has adopted them."""
    socket, pids = host.control(at_work.folder), at_work.pids()
    began = time.monotonic_ns()
    text = subprocess.run([host.program, "ps", "--json", "--socket", socket], check=True, capture_output=True).stdout
    found = {"listed": ms(time.monotonic_ns() - began)}
    same_processes({p["id"]: p["pid"] for p in json.loads(text)}, pids, "ps")
    engine = measures.control.get(socket, "/v1/info")["engine_pid"]
    began = time.monotonic_ns()
    os.kill(engine, signal.SIGKILL)
    measures.successor_answers(socket, engine)
    found["adopted"] = ms(time.monotonic_ns() - began)
    same_processes(measures.listed_processes(socket), pids, "the engine's successor")
    return found


def same_processes(listed, pids, who):
    wrong = [index for index, pid in pids.items() if listed.get(f"c{index}") != pid]
    if wrong:
        raise SystemExit(f"{who} lists {len(wrong)} of {len(pids)} processes with another pid, or not at all, "
                         f"c{wrong[0]} among them; the host's log says why")


def stopped(at_work, children):
    """From the signal until neither the host nor a child of it is left, ms."""
    began = time.monotonic_ns()
    at_work.process.send_signal(at_work.host.stop_signal)
    with contextlib.suppress(subprocess.TimeoutExpired):
        at_work.process.wait(timeout=measures.STOP_SECONDS)
    took = ms(time.monotonic_ns() - began)
    left = process_table.alive(children)
    if at_work.process.poll() is None or left:
        raise SystemExit(f"{at_work.name} has {len(left)} of {len(children)} children left after {took / 1000:.0f} s; "
                         "its log says why")
    return took
