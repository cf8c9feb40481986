"""Clients of the daemon, and taking what it tells."""

from __future__ import annotations

import ctypes
import json
import threading
import time
from ctypes import byref, c_uint64, c_void_p
from typing import Any, Dict, List, Optional, Sequence, Tuple, Type

from . import _library as c
from ._errors import check
from ._library import lib
from ._link import Link, Prepared, c_pieces
from ._loop import readable
from ._memory import Memory, device_memory
from ._note import Mailbox, Note
from ._remote import Remote
from ._transfer import Transfer


class Client:
    """A connection to the daemon of this host. Any thread may use it, and one event loop."""

    def __init__(self, socket: Optional[str] = None, name: Optional[str] = None, entries: int = 0) -> None:
        options = c.Options(
            socket=socket.encode() if socket else None, name=name.encode() if name else b"python", entries=entries
        )
        handle = c_void_p()
        check(lib.sluice_open(byref(options), byref(handle)))
        self._handle: Optional[c_void_p] = handle
        self._lock = threading.Lock()
        self._next_tag = 1
        self._transfers: Dict[int, Transfer] = {}
        self._notes: List[Note] = []
        self.notes_lost = 0
        """Notifications that came faster than they were taken."""

    def _live(self) -> c_void_p:
        if self._handle is None:
            raise ValueError("the client is closed")
        return self._handle

    @property
    def gpus(self) -> int:
        return int(lib.sluice_gpus(self._live()))

    @property
    def epoch(self) -> int:
        """Another number after each reopen to a daemon that was restarted."""
        return int(lib.sluice_epoch(self._live()))

    @property
    def mailbox(self) -> Mailbox:
        """What others send this client's notifications to."""
        key = lib.sluice_mailbox(self._live())
        return key.high, key.low

    def stats(self) -> Dict[str, Any]:
        """What the daemon says of this client."""
        text = c_void_p()
        check(lib.sluice_stats(self._live(), byref(text)))
        try:
            result: Dict[str, Any] = json.loads(ctypes.string_at(text.value or 0))
            return result
        finally:
            c.libc.free(text)

    def allocate(self, nbytes: int, gpu: int = 0) -> Memory:
        """Fresh host memory, zeros."""
        handle = c_void_p()
        check(lib.sluice_allocate(self._live(), gpu, nbytes, byref(handle)))
        return Memory(self, handle)

    def register_tensor(self, tensor: Any) -> Memory:
        """GPU memory of a tensor: anything contiguous with ``data_ptr()`` (PyTorch) or ``__cuda_array_interface__`` (CuPy, Numba, JAX).

        The tensor is kept alive until ``Memory.free`` or ``close``. The daemon's copies know nothing of its streams: synchronise the
        stream that fills it before a write is posted or a peer may read.
        """
        pointer, nbytes = device_memory(tensor)
        return self.register_device(pointer, nbytes, owner=tensor)

    def register_device(self, pointer: int, nbytes: int, owner: Any = None) -> Memory:
        """GPU memory by its device pointer. ``owner`` is kept alive while it is registered."""
        handle = c_void_p()
        check(lib.sluice_register_device(self._live(), pointer, nbytes, None, byref(handle)))
        return Memory(self, handle, owner)

    def register(self, fd: int, nbytes: int, offset: int = 0, gpu: int = 0) -> Memory:
        """Memory behind a descriptor: a memfd, or a file (whose bytes are copied, and which peers cannot reach)."""
        handle = c_void_p()
        check(lib.sluice_register(self._live(), gpu, fd, offset, nbytes, None, byref(handle)))
        return Memory(self, handle)

    def prepare(
        self, pieces: Sequence[Tuple[Memory, int, int]], remotes: Sequence[Tuple[Remote, int, int]]
    ) -> Prepared:
        """Checks lists of pieces once: of memory here, (memory, offset, bytes) each, and of others'. Their sums are equal."""
        local, remote = c_pieces(pieces, remotes)
        number = c.c_uint32()
        check(lib.sluice_prepare(self._live(), local, len(pieces), remote, len(remotes), byref(number)))
        return Prepared(self, number.value)

    def connect(self, address: str, local_gpu: int = 0, remote_gpu: int = 0, timeout: float = 30.0) -> Link:
        """A link to another daemon at host:port."""
        handle = c_void_p()
        check(
            lib.sluice_connect(
                self._live(), local_gpu, remote_gpu, address.encode(), int(timeout * 1000), byref(handle)
            )
        )
        return Link(self, handle)

    def reopen(self, timeout: float = 30.0) -> None:
        """After DaemonLost: finds the daemon again and presents the same memory, keys and links."""
        check(lib.sluice_reopen(self._live(), int(timeout * 1000)))

    def poll_note(self) -> Optional[Note]:
        """The next notification, if one is there."""
        self._take(0)
        with self._lock:
            return self._notes.pop(0) if self._notes else None

    def wait_note(self, timeout: Optional[float] = None) -> Note:
        """The next notification. Waits."""
        self._take_until(lambda: bool(self._notes), timeout)
        note = self.poll_note()
        if note is None:
            raise TimeoutError("no notification")
        return note

    async def note(self) -> Note:
        """The next notification, in asyncio."""
        while True:
            await self._until(lambda: bool(self._notes))
            note = self.poll_note()
            if note is not None:
                return note

    def _post(self, post: Any, note: Optional[bytes], mailbox: Mailbox, deadline: float) -> Transfer:
        with self._lock:
            tag = self._next_tag
            self._next_tag += 1
            transfer = Transfer(self, tag)
            self._transfers[tag] = transfer
        extra = c.Extra(
            note=note,
            note_bytes=len(note) if note is not None else 0,
            flags=c.AS_EVENT,
            mailbox=c.Key(*mailbox) if note is not None else c.Key(0, 0),
            deadline_ns=int(deadline * 1e9),
            tag=tag,
        )
        out = c_uint64()
        try:
            while True:
                status = post(extra, out)
                if status != c.AGAIN:
                    break
                self._take(10)
            check(status)
        except BaseException:
            with self._lock:
                self._transfers.pop(tag, None)
            raise
        transfer._request = out.value
        return transfer

    def _take(self, timeout_ms: int) -> bool:
        """Takes what has ended; waits so long for the first of it."""
        event = c.Event()
        handle = self._live()
        any_event = False
        while (lib.sluice_await(handle, byref(event), timeout_ms) if timeout_ms else lib.sluice_next(handle, byref(event))) == 1:
            any_event = True
            timeout_ms = 0
            self._event(event)
        return any_event

    def _event(self, event: c.Event) -> None:
        if event.kind == c.EVENT_ENDED:
            with self._lock:
                transfer = self._transfers.pop(event.tag, None)
            if transfer is not None:
                r = event.result
                transfer._result = (r.status, r.bytes, r.why.decode("utf-8", "replace"))
        elif event.kind == c.EVENT_NOTE:
            data = ctypes.string_at(event.note, event.note_bytes)
            c.libc.free(event.note)
            with self._lock:
                self._notes.append(Note(data, (event.sender.high, event.sender.low)))
        elif event.kind == c.EVENT_NOTES_LOST:
            self.notes_lost += event.result.bytes

    def _take_until(self, holds: Any, timeout: Optional[float]) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        self._take(0)
        while not holds():
            left = 0.05 if end is None else min(0.05, end - time.monotonic())
            if left <= 0:
                return
            self._take(max(1, int(left * 1000)))  # not for ever: another thread may take what we wait for

    async def _until(self, holds: Any) -> None:
        while True:
            self._take(0)
            if holds():
                return
            if lib.sluice_arm(self._live()) == 1:
                continue
            await readable(lib.sluice_fd(self._live()))

    def close(self) -> None:
        """Ends everything, and waits until the daemon uses no memory of this client."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            lib.sluice_close(handle)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Any, trace: Any) -> None:
        self.close()
