"""A client of the Sluice daemon of this host: moves memory between hosts over every NIC at once.

    with sluice.Client() as client:
        memory = client.allocate(1 << 20)
        numpy.frombuffer(memory, dtype="f4")[:] = 1
        link = client.connect("10.0.0.7:20100")
        link.write(memory, link.remote("inbox")).wait()

Blocking calls release the interpreter. In asyncio, ``await transfer`` and ``await client.note()`` wait for the daemon's descriptor.
"""

from ._client import Client
from ._errors import DaemonLost, SluiceError
from ._link import Link, Prepared
from ._memory import Memory
from ._note import Note
from ._remote import Remote
from ._transfer import Transfer

__all__ = ["Client", "DaemonLost", "Link", "Memory", "Note", "Prepared", "Remote", "SluiceError", "Transfer"]
__version__ = "0.1.0"
