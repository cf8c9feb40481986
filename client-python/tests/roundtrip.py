"""roundtrip.py SOCKET_A SOCKET_B HOST:PORT_OF_B: what two Python clients of two daemons do with each other."""

import asyncio
import os
import sys

import sluice

a = sluice.Client(sys.argv[1], name="python a")
b = sluice.Client(sys.argv[2], name="python b")
size = 4 << 20

source = a.allocate(size)
target = b.allocate(size)
link = a.connect(sys.argv[3])
target.share("python")
remote = link.remote("python")
assert remote == target.remote
assert sluice.Remote.from_bytes(remote.to_bytes()) == remote

content = os.urandom(size)
source.view[:] = content
assert link.write(source, remote).wait(60) == size
assert bytes(target.view) == content

target.view[:1000] = bytes(1000)
assert link.read(source, remote, nbytes=2000).wait(60) == 2000
assert bytes(source.view[:1000]) == bytes(1000) and bytes(source.view[1000:]) == content[1000:]

pieces = [(source, i * 8192, 4096) for i in range(100)]
targets = [(remote, 2 << 20, 100 * 4096)]
assert link.write_list(pieces, targets).wait(60) == 100 * 4096
for i in range(100):
    at = (2 << 20) + i * 4096
    assert target.view[at : at + 4096] == source.view[i * 8192 : i * 8192 + 4096]

link.write(source, remote, note=b"it is there", mailbox=b.mailbox)
note = b.wait_note(60)
assert note == sluice.Note(b"it is there", a.mailbox), note
link.notify(b.mailbox, b"alone")
assert b.wait_note(60).data == b"alone"

try:
    link.write(source, remote, nbytes=size + 1).wait(60)
    raise AssertionError("out of bounds was let pass")
except sluice.SluiceError as e:
    assert "not inside memory" in str(e) and e.status == -3, e


async def together() -> None:
    transfers = [link.write(source, remote, nbytes=1000, offset=i, target_offset=i) for i in range(500)]
    waiting = asyncio.ensure_future(b.note())
    assert await asyncio.gather(*transfers) == [1000] * 500
    link.notify(b.mailbox, b"async")
    assert (await asyncio.wait_for(waiting, 60)).data == b"async"


asyncio.run(together())

try:
    import numpy
except ImportError:
    pass
else:
    x = numpy.frombuffer(source.view, dtype="f4")
    x[:] = numpy.arange(len(x), dtype="f4")
    link.write(source, remote).wait(60)
    assert (numpy.frombuffer(target.view, dtype="f4") == x).all()
    assert numpy.asarray(source).nbytes == size
    del x

assert a.stats()["name"] == "python a"
assert a.gpus >= 1
link.close()
source.free()
a.close()
b.close()
print("ok")
