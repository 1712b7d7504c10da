#!/usr/bin/env python3
"""Writes "line 0", "line 1", … to stdout, some hundreds a second, each in one write."""
import os
import time

number = 0
while True:
    os.write(1, b"line %d\n" % number)
    number += 1
    time.sleep(0.001)
