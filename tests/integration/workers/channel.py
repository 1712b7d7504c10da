"""The worker's side of a channel, for the workers of the tests: events as dictionaries, one a line or framed."""

import json
import os
import struct
import sys
import threading

_lock = threading.Lock()


def emit(type, data=None, **attributes):
    """One event on stdout; from any thread."""
    event = {"type": type, **attributes}
    if data is not None:
        event["data"] = data
    with _lock:
        sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
        sys.stdout.flush()


def events():
    """Events from stdin until the host asks to end, or ends."""
    for line in sys.stdin.buffer:
        event = json.loads(line)
        if event["type"] == "tenon.shutdown":
            return
        yield event


class Frames:
    """A 4-byte big-endian length before each event, on the descriptor that TENON_CHANNEL_FD names."""

    def __init__(self):
        self.fd = int(os.environ["TENON_CHANNEL_FD"])
        self.lock = threading.Lock()

    def write(self, payload):
        frame = memoryview(struct.pack(">I", len(payload)) + payload)
        with self.lock:
            while frame:
                frame = frame[os.write(self.fd, frame):]

    def _read(self, size):
        parts = []
        while size:
            part = os.read(self.fd, min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def read(self):
        """The next frame's bytes; None at the end of the stream, in the middle of a frame too: the host kills a worker
        whose stream it gives up, and the end comes first."""
        head = self._read(4)
        return None if head is None else self._read(struct.unpack(">I", head)[0])
