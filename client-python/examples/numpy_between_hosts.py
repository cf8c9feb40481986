"""Moves numpy arrays from one host to another, and tells the other side when each is there.

    python numpy_between_hosts.py receive               # on one host, beside its daemon
    python numpy_between_hosts.py send 10.0.0.7:20100   # on the other: where the receiver's daemon listens
"""

import struct
import sys

import numpy

import sluice

SHAPE = (4096, 4096)


def receive(client: sluice.Client) -> None:
    memory = client.allocate(int(numpy.prod(SHAPE)) * 4)
    mailbox = client.allocate(16)
    mailbox.view[:] = struct.pack("<QQ", *client.mailbox)
    mailbox.share("numpy/mailbox")
    memory.share("numpy/array")
    array = numpy.frombuffer(memory.view, dtype="f4").reshape(SHAPE)
    for _ in range(10):
        note = client.wait_note()
        print(note.data.decode(), "has the sum", array.sum(dtype="f8"))


def send(client: sluice.Client, address: str) -> None:
    link = client.connect(address)
    there = link.remote("numpy/array")
    box = client.allocate(16)
    link.read(box, link.remote("numpy/mailbox")).wait()
    mailbox = struct.unpack("<QQ", box.view)
    memory = client.allocate(there.nbytes)
    array = numpy.frombuffer(memory.view, dtype="f4").reshape(SHAPE)
    for i in range(10):
        array[:] = i
        link.write(memory, there, note=f"array {i}".encode(), mailbox=mailbox).wait()
        print("sent array", i)


if __name__ == "__main__":
    with sluice.Client() as c:
        if sys.argv[1] == "receive":
            receive(c)
        else:
            send(c, sys.argv[2])
