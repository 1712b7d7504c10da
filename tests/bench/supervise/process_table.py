"""What the kernel says about the processes of a supervisor: which they are, what they weigh, what they have used."""
import contextlib
import ctypes
import os
import signal

PR_SET_CHILD_SUBREAPER = 36


def parents():
    """pid -> parent's pid, of everything that lives."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue  # ended while we looked
        if fields[0] not in "ZX":
            found[int(name)] = int(fields[1])
    return found


def supervisors(root, children):
    """root and all its descendants but the children."""
    by_parent = {}
    for pid, parent in parents().items():
        by_parent.setdefault(parent, []).append(pid)
    found, open_ = [], [root]
    while open_:
        pid = open_.pop()
        if pid not in children:
            found.append(pid)
            open_ += by_parent.get(pid, [])
    return found


def adopt_orphans():
    """From here on what a host leaves behind becomes ours, so that `end` can wait for it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end(pids):
    """Kills and reaps whoever of them still is: the next measurement begins on an empty machine."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def pss_octets(pids, kind="Pss"):
    """Their proportional share of memory: a shared page counts for each in part. "Pss_Anon": what is no file's."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{kind}:"))
    return total


def memfd_octets(pids):
    """What lies in memory files that they hold open, each counted once: mapped or not, it is memory."""
    files = {}
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/memfd:"):
                    status = os.stat(f"/proc/{pid}/fd/{fd}")
                    files[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(files.values())


def cpu_ns(pids):
    """CPU time of all threads; from schedstat, because ticks of 10 ms are as long as what we look for."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total


def wake_ups(pids):
    """How often one of their threads was given a core, by its own wish or by others': 0 more while all of them sleep."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches:" in line)
    return total


def alive(pids):
    """Those of them that run."""
    running = parents()
    return [pid for pid in pids if pid in running]
