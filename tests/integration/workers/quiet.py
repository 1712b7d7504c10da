#!/usr/bin/env python3
"""Is there, says so, and ends when asked."""

from channel import emit, events

emit("tenon.ready")
for _ in events():
    pass
