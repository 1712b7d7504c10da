# Goes on as another process, as daemons do: forks, names the child as its main process (MAINPID) and ends at once. The
# child, in a session of its own, writes its pid to main.ID and ends orderly by SIGTERM, which it notes in ended.ID.
# Arguments: "wait": it ends only when the file "go" is there; "pid=N": it names N instead; "late": the child takes its
# session when its parent is gone; "exit=N": the child ends so as soon as its parent has; "between": a process stands
# between, and ends a little later; "reap": the child ends, and is waited for.
import os
import signal
import socket
import sys
import time

options = dict((word.split("=") + [""])[:2] for word in sys.argv[1:])
me = os.environ["TENON_ID"]


def send(text):
    name = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text.encode(), "\0" + name[1:] if name[0] == "@" else name)


def write(name, text):
    with open(name + ".new", "w") as out:
        out.write(text)
    os.rename(name + ".new", name)


def be_the_daemon(leader):
    signal.signal(signal.SIGTERM, lambda *_: (write("ended." + me, str(os.getpid())), os._exit(0)))
    if "late" not in options:
        os.setsid()
    write("main." + me, str(os.getpid()))
    if "reap" in options:
        os._exit(0)
    if "exit" in options:
        while os.getppid() == leader:
            pass
        os._exit(int(options["exit"]))
    if "late" in options:
        while os.getppid() == leader:
            time.sleep(0.001)
        os.setsid()
        write("late", "")
    while True:
        signal.pause()


signal.signal(signal.SIGUSR1, lambda *_: write("usr1", ""))
if os.path.exists("main." + me):
    os.unlink("main." + me)
leader = os.getpid()
child = os.fork()
if child == 0:
    if "between" in options:
        if os.fork() == 0:
            be_the_daemon(leader)
        while os.getppid() == leader:
            time.sleep(0.001)
        time.sleep(0.02)
        os._exit(0)
    be_the_daemon(leader)
while not os.path.exists("main." + me):
    time.sleep(0.001)
with open("main." + me) as main:
    named = options.get("pid", main.read())
send("MAINPID=" + named + "\nREADY=1")
if "reap" in options:
    os.waitpid(child, 0)
    write("reaped", "")
while "wait" in options and not os.path.exists("go"):
    time.sleep(0.001)
os._exit(0)  # without the time that an interpreter takes to end
