"""When each child began to run, by the child's own clock: what bench_child writes into a FIFO.

The driver holds both ends of the FIFO, so children never wait for a reader. It holds 65,536 stamps, more than the
largest measurement leaves unread.
"""
import fcntl
import os
import select
import struct
import time

STAMP = struct.Struct("<IIQ")  # index, pid, CLOCK_MONOTONIC in ns: the clock of time.monotonic_ns
WAIT_SECONDS = 120
FIFO_OCTETS = 1 << 20  # what every user may ask for, by Linux's default of fs.pipe-max-size


class Stamps:
    def __init__(self, path):
        os.mkfifo(path)
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, FIFO_OCTETS)
        self.host = None  # the process whose children stamp; its end ends every wait
        self.last = {}  # index -> (pid, ns) of its newest process
        self.pids = set()

    def close(self):
        os.close(self.fd)

    def read(self):
        """Takes what is there."""
        try:
            while octets := os.read(self.fd, 65536):  # whole stamps only: each is one write, smaller than PIPE_BUF
                for index, pid, ns in STAMP.iter_unpack(octets):
                    self.last[index] = (pid, ns)
                    self.pids.add(pid)
        except BlockingIOError:
            pass

    def all_started(self, count, name):
        """Waits until `count` children run."""
        self.all_replaced(dict.fromkeys(range(count)), name)

    def all_replaced(self, old, name):
        """Waits until every index of old (index -> pid) has another pid.

        Looks now and then instead of at every stamp, so that the driver takes no core from what it measures.
        """
        waiting, deadline = set(old), time.monotonic() + WAIT_SECONDS
        while waiting:
            self.still_worth_waiting(deadline, f"{name}: {len(waiting)} of {len(old)} children do not run")
            time.sleep(0.01)
            self.read()
            waiting = {index for index in waiting if self.last.get(index, (old[index],))[0] == old[index]}

    def replaced(self, index, name):
        """Waits until another process than the known one has stamped, and is woken by that; returns its time."""
        pid, deadline = self.last[index][0], time.monotonic() + WAIT_SECONDS
        while self.last[index][0] == pid:
            self.still_worth_waiting(deadline, f"{name} has not started child {index} again")
            select.select([self.fd], [], [], 1)
            self.read()
        return self.last[index][1]

    def still_worth_waiting(self, deadline, what):
        if self.host is not None and self.host.poll() is not None:
            raise SystemExit(f"{what}, and it has ended with {self.host.returncode}; its log says why")
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} after {WAIT_SECONDS} s; its log says why")

    def newest(self):
        return max(ns for _, ns in self.last.values())
