#!/usr/bin/env python3
"""Sends what no worker should, once: `misbehave.py WHAT`. Then it answers as echo.py does, if it still can."""

import os
import sys

from channel import emit, events

what = sys.argv[1]


def raw(octets):
    view = memoryview(octets)
    while view:
        view = view[os.write(1, view):]


LINES = {
    "garbage": bytes(range(1, 10)) + b"\x80\xff\xfe no event at all\n",
    "no_object": b"[1, 2, 3]\n\"text\"\nnull\n42\n",
    "huge_line": b"x" * (10 << 20) + b"\n",
    "huge_event": b'{"type":"big","data":"' + b"x" * (10 << 20) + b'"}\n',
    "invalid_utf8": b'{"type":"bad","data":"\xc3\x28\xff"}\n',
    "broken_data": b'{"type":"bad","data":{"a":1 "b":nul}}\n',
    "deep": b'{"type":"bad","data":' + b"[" * 10000 + b"]" * 10000 + b"}\n",
    "illegal_topic": b'{"type":"bad","topic":"a..b c"}\n',
    "wildcard_topic": b'{"type":"bad","topic":"a.*.>"}\n',
    "forged_system": b'{"type":"system.process.exited","data":{"process":"echo"}}\n',
    "forged_topic": b'{"type":"bad","topic":"system.process.exited"}\n',
    "half_line": b'{"type":"bad","data":',  # and nothing more, until the end
    "duplicate_keys": b'{"type":"bad","type":"worse"}\n',
}

emit("tenon.ready")
raw(LINES[what])
if what == "half_line":
    os.close(1)
    for _ in events():
        pass
    sys.exit(0)
for event in events():
    if event["type"] != "tenon.rejected":
        emit("echo", {"got": event.get("data")}, correlationid=event["id"], topic=event.get("replyto", "echo"))
