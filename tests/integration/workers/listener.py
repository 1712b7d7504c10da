# Serves the sockets that it was passed (sd_listen_fds(3)): each client gets "socket's name, own id, own pid" and is hung
# up on; a datagram gets the same as its answer. With an argument, it waits for that file first.
import os
import select
import socket
import sys
import time

assert os.environ["LISTEN_PID"] == str(os.getpid()), os.environ["LISTEN_PID"]
names = os.environ["LISTEN_FDNAMES"].split(":")
assert len(names) == int(os.environ["LISTEN_FDS"])
by_socket = {socket.socket(fileno=3 + i): name for i, name in enumerate(names)}
while len(sys.argv) > 1 and not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
while True:
    for ready in select.select(list(by_socket), [], [])[0]:
        said = f"{by_socket[ready]} {os.environ['TENON_ID']} {os.getpid()}\n".encode()
        ready.setblocking(False)  # a replica may have been quicker
        try:
            if ready.type == socket.SOCK_DGRAM:
                ready.sendto(said, ready.recvfrom(64)[1])
            else:
                client, _ = ready.accept()
                client.sendall(said)
                client.close()
        except BlockingIOError:
            pass
