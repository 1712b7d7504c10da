#!/usr/bin/env python3
"""Opens as many requests as the host lets wait, 16 MiB of their texts, which nobody answers."""

from channel import emit, events

for number in range(2048):
    emit("unheard", id=f"{number:08191d}", replyto="r", expirytime="2100-01-01T00:00:00Z")
emit("tenon.ready")
for _ in events():
    pass
