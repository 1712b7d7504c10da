#!/usr/bin/env python3
"""Crosses large frames with another worker: `frames.py MINE THEIRS DIRECTORY`.

Sends events of about 1 MiB on the topic bulk.MINE without end, each with a number and a digest of its text, and checks those
that come. A frame that is not whole is written to DIRECTORY/torn.<MINE>; how many were good, to DIRECTORY/good.<MINE>.
"""

import hashlib
import json
import os
import random
import sys
import threading

from channel import Frames

mine, theirs, directory = sys.argv[1:4]
frames = Frames()
generator = random.Random(os.getpid())
text = "".join(generator.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1 << 20))


def send():
    number = 0
    while True:
        part = text[: (1 << 20) - generator.randrange(1 << 12)]
        digest = hashlib.md5(part.encode()).hexdigest()
        event = {"type": "bulk", "topic": "bulk." + mine, "data": {"number": number, "digest": digest, "text": part}}
        try:
            frames.write(json.dumps(event).encode())
        except OSError:
            return
        number += 1


def torn(what, frame):
    with open(f"{directory}/torn.{mine}", "a", encoding="utf-8") as file:
        file.write(f"{what}: {len(frame)} octets, {frame[:80]!r} … {frame[-80:]!r}\n")


frames.write(b'{"type":"tenon.ready"}')
threading.Thread(target=send, daemon=True).start()
good = 0
with open(f"{directory}/good.{mine}", "a", encoding="utf-8") as progress:
    while (frame := frames.read()) is not None:
        try:
            event = json.loads(frame)
        except ValueError as error:
            torn(error, frame)
            break
        if event["type"] == "tenon.shutdown":
            break
        if event["type"] != "bulk":
            continue
        data = event["data"]
        if hashlib.md5(data["text"].encode()).hexdigest() != data["digest"]:
            torn("another digest", frame)
            break
        good += 1
        progress.write(f"{os.getpid()} {good}\n")
        progress.flush()
os._exit(0)  # the sender may be inside a write that nobody takes any more
