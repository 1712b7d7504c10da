#!/usr/bin/env python3
"""Answers requests only once the file "go" is in the directory named; says with the file "got" that one has come."""

import os
import sys
import time

from channel import emit, events

emit("tenon.ready")
for event in events():
    open(os.path.join(sys.argv[1], "got"), "w", encoding="utf-8").close()
    while not os.path.exists(os.path.join(sys.argv[1], "go")):
        time.sleep(0.02)
    emit("answer", topic=event["replyto"], correlationid=event["id"])
