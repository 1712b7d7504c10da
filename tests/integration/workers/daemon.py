# Goes on as another process, as daemons do: forks, names the child as its main process (MAINPID) and ends, after the file
# "go" is there if an argument says so. The child, in a session of its own, writes its pid to "main" and ends orderly by
# SIGTERM, which it notes in "ended".
import os
import signal
import socket
import sys
import time


def send(text):
    name = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text.encode(), "\0" + name[1:] if name[0] == "@" else name)


def write(name, text):
    with open(name + ".new", "w") as out:
        out.write(text)
    os.rename(name + ".new", name)


child = os.fork()
if child == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: (write("ended", str(os.getpid())), os._exit(0)))
    write("main", str(os.getpid()))
    while True:
        signal.pause()
while not os.path.exists("main"):
    time.sleep(0.01)
send("MAINPID=" + (sys.argv[2] if len(sys.argv) > 2 else str(child)) + "\nREADY=1")
while len(sys.argv) > 1 and sys.argv[1] == "wait" and not os.path.exists("go"):
    time.sleep(0.01)
