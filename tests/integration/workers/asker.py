#!/usr/bin/env python3
"""`asker.py FILE TOPIC TIME`: sends one request with this expirytime; appends type and correlationid of what comes."""

import sys

from channel import emit, events

emit("tenon.ready")
emit(sys.argv[2], id="q", replyto="inbox", correlationid="mine", expirytime=sys.argv[3])
with open(sys.argv[1], "a", encoding="utf-8") as file:
    for event in events():
        file.write(event["type"] + " " + event.get("correlationid", "") + "\n")
        file.flush()
