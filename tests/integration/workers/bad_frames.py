#!/usr/bin/env python3
"""Breaks the framing of a packet4 channel: `bad_frames.py WHAT`, where WHAT is half_frame, four_gib, or no_events
for whole frames that are none."""

import os
import struct
import sys

from channel import Frames

frames = Frames()
frames.write(b'{"type":"tenon.ready"}')
if sys.argv[1] == "half_frame":
    os.write(frames.fd, struct.pack(">I", 1000) + b'{"type":"half"')
    sys.exit(3)  # in the middle of the frame
if sys.argv[1] == "no_events":
    for octets in (b"no event", b'{"type":"bad","data":{"a":1 "b":nul}}', b'{"type":"bad","data":"\xc3\x28\xff"}',
                   b'{"type":"bad","data":' + b"[" * 10000 + b"]" * 10000 + b"}"):
        frames.write(octets)
else:
    os.write(frames.fd, struct.pack(">I", 0xFFFFFFFF) + b"x" * 4096)
while frames.read() is not None:
    pass
