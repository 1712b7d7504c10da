#!/usr/bin/env python3
"""`holder.py FILE`: appends the data of every event that it gets to the file, with `again` if it was redelivered.

It refuses those whose data are "refuse", and keeps the rest in its hands.
"""

import sys

from channel import emit, events

emit("tenon.ready")
with open(sys.argv[1], "a", encoding="utf-8") as file:
    for event in events():
        if event["type"].startswith("tenon."):
            continue
        file.write(str(event["data"]) + (" again\n" if event.get("redelivered") else "\n"))
        file.flush()
        if event["data"] == "refuse":
            emit("tenon.nack", correlationid=event["id"])
