#!/usr/bin/env python3
"""Breaks the framing of a packet4 channel: `bad_frames.py WHAT`, where WHAT is half_frame or four_gib."""

import os
import struct
import sys

from channel import Frames

frames = Frames()
frames.write(b'{"type":"tenon.ready"}')
if sys.argv[1] == "half_frame":
    os.write(frames.fd, struct.pack(">I", 1000) + b'{"type":"half"')
    sys.exit(3)  # in the middle of the frame
os.write(frames.fd, struct.pack(">I", 0xFFFFFFFF) + b"x" * 4096)
while frames.read() is not None:
    pass
