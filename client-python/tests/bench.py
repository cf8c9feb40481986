"""bench.py SOCKET_A SOCKET_B HOST:PORT_OF_B BYTES UNDER_WAY SECONDS: as client-c's bench, from Python."""

import json
import statistics
import sys
import time
from collections import deque

import sluice

a = sluice.Client(sys.argv[1], name="python bench")
b = sluice.Client(sys.argv[2], name="python bench b")
size, under_way, seconds = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
source, target = a.allocate(size), b.allocate(size)
source.view[:] = b"\x07" * size
link = a.connect(sys.argv[3])
remote = target.remote
took = []
flying: "deque" = deque()
begin = time.monotonic()
warm, end = begin + seconds / 4, begin + seconds * 5 / 4
start, moved = 0.0, 0
while time.monotonic() < end or flying:
    while len(flying) < under_way and time.monotonic() < end:
        flying.append((time.monotonic(), link.write(source, remote, size)))
    posted, transfer = flying.popleft()
    transfer.wait(60)
    now = time.monotonic()
    if now < warm:
        continue
    if start == 0.0:
        start = now
        continue
    moved += size
    took.append(now - posted)
lasted = time.monotonic() - start
assert target.view == source.view
print(
    json.dumps(
        {
            "bytes": size,
            "underWay": under_way,
            "bytesPerSecond": round(moved / lasted),
            "transfersPerSecond": round(len(took) / lasted),
            "p50us": round(statistics.median(took) * 1e6, 1),
        }
    )
)
a.close()
b.close()
