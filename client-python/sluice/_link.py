"""Links, and what is moved over them."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Optional, Sequence, Tuple

from . import _library as c
from ._errors import check
from ._library import lib
from ._memory import Memory
from ._note import Mailbox
from ._remote import Remote
from ._transfer import Transfer

if TYPE_CHECKING:
    from ._client import Client


def c_pieces(
    pieces: Sequence[Tuple[Memory, int, int]], remotes: Sequence[Tuple[Remote, int, int]]
) -> Tuple[Any, Any]:
    local = (c.Piece * len(pieces))(*[c.Piece(m._live(), o, n) for m, o, n in pieces])
    remote = (c.RemotePiece * len(remotes))(*[c.RemotePiece(c.Key(r.high, r.low), o, n) for r, o, n in remotes])
    return local, remote


class Prepared:
    """Lists of pieces that the daemon has checked once, to be written or read many times."""

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self._number = number

    def release(self) -> None:
        """Forgets the lists; what is under way goes on."""
        check(lib.sluice_release(self._client._live(), self._number))


class Link:
    """A link to a GPU of another daemon."""

    def __init__(self, client: Client, handle: c_void_p) -> None:
        self._client = client
        self._handle: Optional[c_void_p] = handle

    def _live(self) -> c_void_p:
        if self._handle is None:
            raise ValueError("the link is closed")
        return self._handle

    def remote(self, name: str, timeout: float = 30.0) -> Remote:
        """The key of memory that somebody at the other end shares under a name; waits for it."""
        out = c.Remote()
        check(lib.sluice_import(self._live(), name.encode(), int(timeout * 1000), byref(out)))
        return Remote(out.key.high, out.key.low, out.bytes)

    def write(
        self,
        source: Memory,
        target: Remote,
        nbytes: Optional[int] = None,
        offset: int = 0,
        target_offset: int = 0,
        note: Optional[bytes] = None,
        mailbox: Mailbox = (0, 0),
        deadline: float = 0.0,
    ) -> Transfer:
        """Writes into memory of another. The note reaches the mailbox once all bytes are there."""
        return self._move(lib.sluice_write, source, target, nbytes, offset, target_offset, note, mailbox, deadline)

    def read(
        self,
        target: Memory,
        source: Remote,
        nbytes: Optional[int] = None,
        offset: int = 0,
        source_offset: int = 0,
        note: Optional[bytes] = None,
        mailbox: Mailbox = (0, 0),
        deadline: float = 0.0,
    ) -> Transfer:
        """Reads memory of another."""
        return self._move(lib.sluice_read, target, source, nbytes, offset, source_offset, note, mailbox, deadline)

    def _move(
        self,
        function: Any,
        memory: Memory,
        remote: Remote,
        nbytes: Optional[int],
        offset: int,
        remote_offset: int,
        note: Optional[bytes],
        mailbox: Mailbox,
        deadline: float,
    ) -> Transfer:
        length = min(memory.nbytes - offset, remote.nbytes - remote_offset) if nbytes is None else nbytes
        r = remote._c()
        return self._client._post(
            lambda extra, out: function(
                self._live(), memory._live(), offset, length, byref(r), remote_offset, byref(extra), byref(out)
            ),
            note,
            mailbox,
            deadline,
        )

    def write_list(
        self,
        pieces: Sequence[Tuple[Memory, int, int]],
        targets: Sequence[Tuple[Remote, int, int]],
        note: Optional[bytes] = None,
        mailbox: Mailbox = (0, 0),
        deadline: float = 0.0,
    ) -> Transfer:
        """Writes pieces of memory, (memory, offset, bytes) each, to pieces of others'. Only the sums have to be equal."""
        return self._move_list(lib.sluice_write_list, pieces, targets, note, mailbox, deadline)

    def read_list(
        self,
        pieces: Sequence[Tuple[Memory, int, int]],
        sources: Sequence[Tuple[Remote, int, int]],
        note: Optional[bytes] = None,
        mailbox: Mailbox = (0, 0),
        deadline: float = 0.0,
    ) -> Transfer:
        """Reads pieces of others' memory to pieces of memory."""
        return self._move_list(lib.sluice_read_list, pieces, sources, note, mailbox, deadline)

    def _move_list(
        self,
        function: Any,
        pieces: Sequence[Tuple[Memory, int, int]],
        remotes: Sequence[Tuple[Remote, int, int]],
        note: Optional[bytes],
        mailbox: Mailbox,
        deadline: float,
    ) -> Transfer:
        local, remote = c_pieces(pieces, remotes)
        return self._client._post(
            lambda extra, out: function(
                self._live(), local, len(pieces), remote, len(remotes), byref(extra), byref(out)
            ),
            note,
            mailbox,
            deadline,
        )

    def write_prepared(
        self, prepared: Prepared, note: Optional[bytes] = None, mailbox: Mailbox = (0, 0), deadline: float = 0.0
    ) -> Transfer:
        """Writes lists that are prepared."""
        return self._move_prepared(lib.sluice_write_prepared, prepared, note, mailbox, deadline)

    def read_prepared(
        self, prepared: Prepared, note: Optional[bytes] = None, mailbox: Mailbox = (0, 0), deadline: float = 0.0
    ) -> Transfer:
        """Reads lists that are prepared."""
        return self._move_prepared(lib.sluice_read_prepared, prepared, note, mailbox, deadline)

    def _move_prepared(
        self, function: Any, prepared: Prepared, note: Optional[bytes], mailbox: Mailbox, deadline: float
    ) -> Transfer:
        return self._client._post(
            lambda extra, out: function(self._live(), prepared._number, byref(extra), byref(out)),
            note,
            mailbox,
            deadline,
        )

    def notify(self, mailbox: Mailbox, note: bytes) -> None:
        """Sends a notification alone."""
        while True:
            status = lib.sluice_notify(self._live(), c.Key(*mailbox), note, len(note), None)
            if status != c.AGAIN:
                break
            self._client._take(10)
        check(status)

    def close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            check(lib.sluice_disconnect(handle))
