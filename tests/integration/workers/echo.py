#!/usr/bin/env python3
"""Answers every event with what it got: on its replyto if it has one, else on the topic echo.<id of this process>."""

import os

from channel import emit, events

emit("tenon.ready")
for event in events():
    answer = {"correlationid": event["id"]}
    if "replyto" in event:
        answer["topic"] = event["replyto"]
    else:
        answer["topic"] = "echo." + os.environ["TENON_ID"]
    emit("echo", {"got": event.get("data"), "pid": os.getpid()}, **answer)
