"""What can stand between the two ends of a hop: a C relay, tenon, nats-server. Each moves the same events.

`throughput` gives events a second, `round_trip` microseconds as (p50, p99). A router starts what it needs and has ended
it when it returns, also when it fails.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

WAIT_SECONDS = 120


@dataclass(frozen=True)
class Amounts:
    events: int
    pings: int
    batch: int


@contextlib.contextmanager
def started(command, **options):
    """A process that ends with the block."""
    process = subprocess.Popen([str(word) for word in command], **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def wait_for(path, processes):
    """Waits for the file; gives up when a process has failed, or after two minutes."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not os.path.exists(path):
        failed = [p.args[0] for p in processes if p.poll()]  # one that has ended well may have left its result
        if failed or time.monotonic() > deadline:
            raise SystemExit(f"no result from {', '.join(failed) or 'anyone in two minutes'}; "
                             "the reason stands above, or run hop.py again with fewer --events")
        time.sleep(0.01)


def result(path, processes):
    wait_for(path, processes)
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    os.remove(path)
    return value


def rate(value, amounts):
    if value["events"] != amounts.events:
        raise SystemExit(f"{value['events']} of {amounts.events} events came; what loses events has no throughput: "
                         "find out where they went")
    return value["per_second"]


def percentiles(value, _):
    return value["p50_us"], value["p99_us"]


class Relay:
    """Copies octets and looks at nothing: the physical limit."""
    name = "C relay"

    def __init__(self, programs):
        self.tool = programs / "hop_tool"

    def throughput(self, amounts, folder):
        file = folder / "relay.json"
        return rate(self.between(lambda fd: ["produce", fd, amounts.events, amounts.batch],
                                 lambda fd: ["consume", fd, amounts.events, file], file), amounts)

    def round_trip(self, amounts, folder):
        file = folder / "relay.json"
        return percentiles(self.between(lambda fd: ["ping", fd, amounts.pings, file],
                                        lambda fd: ["echo", fd], file), amounts)

    def between(self, first, second, file):
        """Each end is a function of its descriptor that gives a command line."""
        (a, a_relay), (b, b_relay) = socket.socketpair(), socket.socketpair()
        with contextlib.ExitStack() as stack:
            processes = []
            for sockets, words in (((a_relay, b_relay), ["relay", a_relay.fileno(), b_relay.fileno()]),
                                   ((a,), first(a.fileno())), ((b,), second(b.fileno()))):
                process = started([self.tool, *words], pass_fds=[s.fileno() for s in sockets])
                processes.append(stack.enter_context(process))
            for s in (a, b, a_relay, b_relay):
                s.close()
            return result(file, processes)


class Tenon:
    name = "tenon"

    def __init__(self, program, programs):
        self.program, self.tool = program, programs / "hop_tool"

    def throughput(self, amounts, folder):
        file = folder / "host.json"
        return rate(self.run([self.worker("consumer", ["consume", 0, amounts.events, file], "bench.event"),
                              self.worker("producer", ["produce", 0, amounts.events, amounts.batch], None, "consumer")],
                             file, folder), amounts)

    def round_trip(self, amounts, folder):
        file = folder / "host.json"
        return percentiles(self.run([self.worker("echo", ["echo", 0], "bench.ping"),
                                     self.worker("ping", ["ping", 0, amounts.pings, file], "bench.pong", "echo")],
                                    file, folder), amounts)

    def worker(self, name, words, topic, after=None):
        return {"id": name, "command": [str(word) for word in (self.tool, *words)], "restart": {"policy": "never"},
                "depends_on": [after] if after else [], "subscribe": [{"topic": topic}] if topic else [],
                "channel": {"kind": "socket", "framing": "packet4", "serializer": "msgpack"},
                "mailbox": {"capacity": 1024, "overflow": "block"}}

    def run(self, children, file, folder):
        config = {"node": "bench", "control": {"socket": str(folder / "t.sock")}, "logging": {"level": "error"},
                  "schemas": {"mode": "off"}, "supervision": {"children": children}}
        (folder / "tenon.json").write_text(json.dumps(config), encoding="utf-8")
        log = folder / "tenon.log"  # the keeper says at every stop that it stops; nobody wants to read it thirty times
        with open(log, "wb") as errors, started([self.program, "run", folder / "tenon.json"], stderr=errors) as host:
            try:
                return result(file, [host])
            except SystemExit:
                print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
                raise


class Nats:
    """nats-server of its own on a free port, and two clients by nats.c."""
    name = "nats-server"

    def __init__(self, programs):
        self.tool = programs / "nats_hop_tool"
        self.server = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

    def missing(self):
        """Why it cannot be measured, with what to do; empty when it can."""
        if not self.server:
            return "nats-server is not installed and is left out; apt-get install nats-server to see it too"
        if not self.tool.exists():
            return f"{self.tool} was not built, so nats-server is left out; install libnats-dev and build again"
        return ""

    def throughput(self, amounts, folder):
        file = folder / "nats.json"
        return rate(self.run(["consume", amounts.events, file], ["produce", amounts.events], file, folder), amounts)

    def round_trip(self, amounts, folder):
        file = folder / "nats.json"
        return percentiles(self.run(["echo"], ["ping", amounts.pings, file], file, folder), amounts)

    def run(self, receiver, sender, file, folder):
        command = [self.server, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder, "-l", folder / "nats.log"]
        with started(command) as server:
            url = self.url(server, folder)
            with started([self.tool, receiver[0], url, *receiver[1:]], stdout=subprocess.PIPE) as first:
                if first.stdout.readline() != b"ready\n":
                    raise SystemExit("the receiver at nats-server did not come up; the reason stands above")
                with started([self.tool, sender[0], url, *sender[1:]]) as second:
                    return result(file, [server, first, second])

    def url(self, server, folder):
        """nats-server writes its port into a file; it may be seen before it is whole."""
        ports = Path(folder) / f"nats-server_{server.pid}.ports"
        wait_for(ports, [server])
        while not (text := ports.read_text(encoding="utf-8")).rstrip().endswith("}"):
            time.sleep(0.01)
        return json.loads(text)["nats"][0]
