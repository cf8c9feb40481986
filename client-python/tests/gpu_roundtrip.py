"""gpu_roundtrip.py SOCKET_A SOCKET_B HOST:PORT_OF_B: GPU memory of this process through two daemons, plain and of several allocations."""

import os
import sys

import sluice
from gpu_memory import Buffer

a = sluice.Client(sys.argv[1], name="python gpu a")
b = sluice.Client(sys.argv[2], name="python gpu b")
size = (45 << 20) + 12345
BLOCK = 16 << 10

for kind in ("plain", "expandable"):
    source, target = Buffer(size, kind), Buffer(size, kind)
    content = os.urandom(size)
    source.put(content)
    mine, theirs = a.register_tensor(source), b.register_tensor(target)
    link = a.connect(sys.argv[3], local_gpu=mine.gpu, remote_gpu=theirs.gpu)
    theirs.share(kind)
    remote = link.remote(kind)
    assert remote == theirs.remote

    assert link.write(mine, remote).wait(60) == size
    assert target.get() == content

    target.put(bytes(100_000), 777)
    assert link.read(mine, remote, nbytes=100_000, offset=777, source_offset=777).wait(60) == 100_000
    assert source.get(777, 100_000) == bytes(100_000)
    source.put(content)

    count = size // BLOCK
    pieces = [(mine, i * BLOCK, BLOCK) for i in range(0, count, 2)]
    targets = [(remote, (count - 1 - i) * BLOCK, BLOCK) for i in range(0, count, 2)]
    link.write_list(pieces, targets, note=b"listed", mailbox=b.mailbox).wait(60)
    assert b.wait_note(60).data == b"listed"
    after = target.get()
    for i in range(0, count, 2):
        at = (count - 1 - i) * BLOCK
        assert after[at : at + BLOCK] == content[i * BLOCK : (i + 1) * BLOCK], i

    # a part of it, from the middle of one allocation to the middle of another
    part = a.register_device(source.address + 1_000_001, size - 3_000_000)
    link.write(part, remote, target_offset=5).wait(60)
    assert target.get(5, size - 3_000_000) == content[1_000_001 : size - 1_999_999]
    part.free()

    try:
        a.register_device(source.address, size + (64 << 20))
        raise AssertionError("memory beyond the allocation was registered")
    except sluice.SluiceError as e:
        assert e.status == -3, e
    assert theirs.remote.nbytes == size
    link.close()
    mine.free()
    theirs.free()
    source.close()
    target.close()

try:
    a.register_device(id(a), 100)
    raise AssertionError("host memory was registered as a GPU's")
except sluice.SluiceError as e:
    assert e.status == -1, e
assert a.stats()["memories"] == 0, a.stats()
a.close()
b.close()
print("ok")
