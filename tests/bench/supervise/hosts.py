"""What keeps the children running: ours, the floor, and other supervisors where they are installed.

A host says how to configure and start it for `count` children of bench_child, and which signal stops it; every delay
that it allows to be 0 is 0. `Running` is one of them at work.
"""
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import process_table
from stamps import Stamps


class Floor:
    name, stop_signal = "bare vfork loop", signal.SIGTERM

    def __init__(self, programs):
        self.child, self.program = programs / "bench_child", programs / "bench_floor"

    def command(self, count, folder, fifo):
        return [self.program, count, self.child, fifo]


class Tenon:
    name, stop_signal = "tenon", signal.SIGTERM

    def __init__(self, program, programs):
        self.program, self.child = program, programs / "bench_child"

    def command(self, count, folder, fifo):
        at_once = {"policy": "always", "config": {"initial": "0ms", "max": "0ms", "jitter": 0}}
        children = [{"id": f"c{i}", "command": [str(self.child), str(fifo), str(i)], "channel": {"kind": "none"},
                     "ready": {"on": "start"}, "restart": at_once} for i in range(count)]
        config = {"node": "bench", "control": {"socket": str(self.control(folder))}, "logging": {"level": "error"},
                  "supervision": {"intensity": {"restarts": 1_000_000, "period": "10s"}, "children": children}}
        (folder / "tenon.json").write_text(json.dumps(config), encoding="utf-8")
        return [self.program, "run", folder / "tenon.json"]

    def control(self, folder):
        """Its control socket."""
        return folder / "t.sock"


class Supervisord:
    name, program, stop_signal = "supervisord", "supervisord", signal.SIGTERM

    def __init__(self, programs):
        self.child = programs / "bench_child"

    def command(self, count, folder, fifo):
        (folder / "s.conf").write_text(
            f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={folder}/s.pid\n"
            f"minfds={count * 4 + 100}\n"
            f"[program:c]\ncommand={self.child} {fifo} %(process_num)d\nprocess_name=%(process_num)d\n"
            f"numprocs={count}\n"
            "autorestart=true\nstartsecs=0\nstartretries=1000000000\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
            encoding="utf-8")
        return [shutil.which(self.program), "-c", folder / "s.conf"]


class Runit:
    """One runsv a service; a child is started again at once if it has lived for a second."""
    name, program, stop_signal = "runit", "runsvdir", signal.SIGHUP

    def __init__(self, programs):
        self.child = programs / "bench_child"

    def command(self, count, folder, fifo):
        for i in range(count):
            service = folder / "services" / str(i)
            service.mkdir(parents=True)
            (service / "run").write_text(f"#!/bin/sh\nexec {self.child} {fifo} {i}\n", encoding="utf-8")
            (service / "run").chmod(0o755)
        return [shutil.which(self.program), "-P", folder / "services"]


class Dinit:
    name, program, stop_signal = "dinit", "dinit", signal.SIGTERM

    def __init__(self, programs):
        self.child = programs / "bench_child"

    def command(self, count, folder, fifo):
        services = folder / "services"
        services.mkdir()
        waits = "".join(f"waits-for = c{i}\n" for i in range(count))
        (services / "boot").write_text(f"type = internal\n{waits}", encoding="utf-8")
        for i in range(count):
            (services / f"c{i}").write_text(
                f"type = process\ncommand = {self.child} {fifo} {i}\nrestart = yes\nrestart-delay = 0\n"
                "restart-limit-count = 0\n", encoding="utf-8")
        return [shutil.which(self.program), "-u", "-q", "-d", services, "-p", folder / "control"]


class Otp:
    """Compiled before it is launched, as a release would be."""
    name, program, stop_signal = "OTP supervisor", "erl", signal.SIGTERM
    source = Path(__file__).resolve().parent / "otp_supervisor.erl"

    def __init__(self, programs):
        self.child = programs / "bench_child"

    def command(self, count, folder, fifo):
        subprocess.run(["erlc", "-o", folder, self.source], check=True)
        return [shutil.which(self.program), "-noshell", "-noinput", "-boot", "start_clean", "-pa", folder,
                "-s", self.source.stem, "start", "-extra", count, self.child, fifo]


PEERS = {"runit": Runit, "dinit": Dinit, "otp": Otp, "supervisord": Supervisord}


def peers(names, programs):
    """The named peers that are installed; says which are not."""
    found = []
    for name in names:
        if name not in PEERS:
            raise SystemExit(f"no peer is named {name}; there are: {', '.join(PEERS)}")
        if shutil.which(PEERS[name].program):
            found.append(PEERS[name](programs))
        else:
            print(f"{PEERS[name].program} is not in PATH, so {name} is left out; install it to see it too", flush=True)
    return found


class Running:
    """A host at work with all its children; `launched` is when it was started, in ns."""

    def __init__(self, host, count):
        self.host, self.count, self.name = host, count, host.name
        self.folder = Path(tempfile.mkdtemp(prefix="tenon-bench-"))
        self.stamps = Stamps(self.folder / "stamps")
        words = [str(word) for word in host.command(count, self.folder, self.folder / "stamps")]
        with open(self.log(), "wb") as log:
            self.launched = time.monotonic_ns()
            self.process = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.stamps.host = self.process
        try:
            self.stamps.all_started(count, self.name)
        except BaseException:
            self.print_log()
            self.stop()
            raise

    def log(self):
        return self.folder / "log"

    def print_log(self):
        print(f"{self.name}: " + self.log().read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)

    def pids(self):
        return {index: pid for index, (pid, _) in self.stamps.last.items()}

    def supervisors(self):
        self.stamps.read()
        return process_table.supervisors(self.process.pid, self.stamps.pids)

    def stop(self):
        own = self.supervisors()
        self.process.send_signal(self.host.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=60)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        process_table.end([pid for pid in own if pid != self.process.pid])  # some hosts let their children outlive them
        self.stamps.read()
        process_table.end(self.pids().values())
        self.stamps.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running(host, count):
    at_work = Running(host, count)
    try:
        yield at_work
    except BaseException:
        at_work.print_log()
        raise
    finally:
        at_work.stop()
