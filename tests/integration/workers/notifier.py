# Speaks of itself by sd_notify(3), step by step. Each argument is a step: "wait NAME" for the file NAME in the working
# directory, "touch NAME", "exit N", "every SECONDS TEXT" for ever; anything else is sent, with | as the end of a line.
import os
import signal
import socket
import sys
import time


def send(text):
    name = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text.replace("|", "\n").encode(), "\0" + name[1:] if name[0] == "@" else name)


for step in sys.argv[1:]:
    word, _, rest = step.partition(" ")
    if word == "wait":
        while not os.path.exists(rest):
            time.sleep(0.01)
    elif word == "exit":
        sys.exit(int(rest))
    elif word == "touch":
        open(rest, "w").close()
    elif word == "every":
        period, _, text = rest.partition(" ")
        while True:
            send(text)
            time.sleep(float(period))
    else:
        send(step)
while True:
    signal.pause()
