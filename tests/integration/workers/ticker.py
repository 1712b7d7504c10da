#!/usr/bin/env python3
"""Emits numbered events as fast as the host takes them: `ticker.py TOPIC COUNT`, 0 for no end."""

import itertools
import sys

from channel import emit

topic, count = sys.argv[1], int(sys.argv[2])
emit("tenon.ready")
try:
    for number in itertools.count() if count == 0 else range(count):
        emit(topic, {"number": number})
except BrokenPipeError:
    sys.exit(0)
