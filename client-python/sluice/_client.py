"""Clients, memory, links and transfers."""

from __future__ import annotations

import asyncio
import ctypes
import json
import threading
from ctypes import byref, c_uint64, c_void_p
from typing import Any, Dict, Generator, List, NamedTuple, Optional, Sequence, Tuple, Type

from . import _library as c
from ._errors import check, error
from ._library import lib
from ._remote import Remote

Mailbox = Tuple[int, int]


class Note(NamedTuple):
    """A notification: its bytes and the mailbox of who sent it."""

    data: bytes
    sender: Mailbox


class Memory:
    """Memory that peers can reach by its key. It has the buffer protocol through ``memoryview(m)`` and ``numpy.frombuffer(m)``."""

    def __init__(self, client: "Client", handle: c_void_p, owner: Any = None) -> None:
        self._client = client
        self._handle: Optional[c_void_p] = handle
        self._owner = owner
        self.nbytes = int(lib.sluice_size(handle))
        address = lib.sluice_data(handle)
        self.address: Optional[int] = address
        self._array = (ctypes.c_ubyte * self.nbytes).from_address(address) if address else None

    def _live(self) -> c_void_p:
        if self._handle is None:
            raise ValueError("the memory is freed")
        return self._handle

    @property
    def gpu(self) -> int:
        """The daemon's number of the GPU whose links reach it; for ``Client.connect``, here and at a peer."""
        return int(lib.sluice_gpu_of(self._live()))

    @property
    def view(self) -> memoryview:
        """The bytes themselves. Nothing may use it once the memory is freed."""
        if self._array is None or self._handle is None:
            raise ValueError("this memory is not mapped here")
        return memoryview(self._array).cast("B")

    def __buffer__(self, flags: int) -> memoryview:
        return self.view

    @property
    def __array_interface__(self) -> Dict[str, Any]:
        """For numpy before Python 3.12: ``numpy.asarray(m)`` is an array of bytes."""
        self._live()
        if self.address is None:
            raise AttributeError("this memory is not mapped here")
        return {"version": 3, "shape": (self.nbytes,), "typestr": "|u1", "data": (self.address, False)}

    @property
    def remote(self) -> Remote:
        """What others need to reach it."""
        out = c.Remote()
        check(lib.sluice_remote_of(self._live(), byref(out)))
        return Remote(out.key.high, out.key.low, out.bytes)

    def share(self, name: str) -> None:
        """Gives every peer the key under a name."""
        check(lib.sluice_share(self._live(), name.encode()))

    def free(self) -> None:
        """Takes it back and waits for what still uses it. Arrays over it must not be used any more."""
        if self._handle is not None:
            check(lib.sluice_free(self._handle))
            self._handle = None
            self._array = None
            self._owner = None


class Transfer:
    """A request under way. ``wait()`` in blocking code, ``await`` it in asyncio. Forgotten, it ends all the same."""

    def __init__(self, client: "Client", tag: int) -> None:
        self._client = client
        self._tag = tag
        self._request = 0
        self._result: Optional[Tuple[int, int, str]] = None

    def done(self) -> bool:
        """Whether it has ended, well or badly. Never waits."""
        self._client._take(0)
        return self._result is not None

    def wait(self, timeout: Optional[float] = None) -> int:
        """Waits for the end. Gives the bytes moved, or raises why it failed; TimeoutError when it is still under way."""
        self._client._take_until(lambda: self._result is not None, timeout)
        return self._outcome()

    def cancel(self) -> None:
        """Asks for its end; it ends all the same, and says how."""
        check(lib.sluice_cancel(self._client._live(), self._request))

    def _outcome(self) -> int:
        if self._result is None:
            raise TimeoutError("the transfer is still under way")
        status, moved, why = self._result
        if status != 0:
            raise error(status, why)
        return moved

    def __await__(self) -> Generator[Any, None, int]:
        yield from self._client._until(lambda: self._result is not None).__await__()
        return self._outcome()


def _pieces(
    pieces: Sequence[Tuple[Memory, int, int]], remotes: Sequence[Tuple[Remote, int, int]]
) -> Tuple[Any, Any]:
    local = (c.Piece * len(pieces))(*[c.Piece(m._live(), o, n) for m, o, n in pieces])
    remote = (c.RemotePiece * len(remotes))(*[c.RemotePiece(c.Key(r.high, r.low), o, n) for r, o, n in remotes])
    return local, remote


class Prepared:
    """Lists of pieces that the daemon has checked once, to be written or read many times."""

    def __init__(self, client: "Client", number: int) -> None:
        self._client = client
        self._number = number

    def release(self) -> None:
        """Forgets the lists; what is under way goes on."""
        check(lib.sluice_release(self._client._live(), self._number))


class Link:
    """A link to a GPU of another daemon."""

    def __init__(self, client: "Client", handle: c_void_p) -> None:
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
        local, remote = _pieces(pieces, remotes)
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
        pointer, nbytes = _device_memory(tensor)
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
        local, remote = _pieces(pieces, remotes)
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
        import time

        end = None if timeout is None else time.monotonic() + timeout
        self._take(0)
        while not holds():
            left = 0.05 if end is None else min(0.05, end - time.monotonic())
            if left <= 0:
                return
            self._take(max(1, int(left * 1000)))  # not for ever: another thread may take what we wait for

    async def _until(self, holds: Any) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._take(0)
            if holds():
                return
            if lib.sluice_arm(self._live()) == 1:
                continue
            fd = lib.sluice_fd(self._live())
            ready: asyncio.Future[None] = loop.create_future()
            waiters = _WAITERS.setdefault((id(loop), fd), [])
            waiters.append(ready)
            if len(waiters) == 1:
                loop.add_reader(fd, _wake, loop, fd)
            await ready

    def close(self) -> None:
        """Ends everything, and waits until the daemon uses no memory of this client."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            lib.sluice_close(handle)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Any, trace: Any) -> None:
        self.close()


def _device_memory(tensor: Any) -> Tuple[int, int]:
    """The first byte and the length of a contiguous tensor on a GPU."""
    if hasattr(tensor, "data_ptr"):
        if not getattr(tensor, "is_cuda", True):
            raise ValueError("the tensor is not on a GPU")
        if not tensor.is_contiguous():
            raise ValueError("the tensor is not contiguous: register tensor.contiguous(), or the storage it is a view of")
        return int(tensor.data_ptr()), int(tensor.numel()) * int(tensor.element_size())
    if not hasattr(tensor, "__cuda_array_interface__"):
        raise TypeError("not GPU memory: neither data_ptr() nor __cuda_array_interface__")
    facts = tensor.__cuda_array_interface__
    digits = "".join(ch for ch in facts["typestr"][1:] if ch.isdigit())
    nbytes = int(digits)
    expected = nbytes
    steps: List[int] = []
    for length in reversed(facts["shape"]):
        steps.insert(0, expected)
        expected *= int(length)
    for length in facts["shape"]:
        nbytes *= int(length)
    strides = facts.get("strides")
    if strides is not None and any(s != e for s, e, n in zip(strides, steps, facts["shape"]) if n > 1):
        raise ValueError("the array is not contiguous")
    return int(facts["data"][0]), nbytes


_WAITERS: "Dict[Tuple[int, int], List[asyncio.Future[None]]]" = {}


def _wake(loop: asyncio.AbstractEventLoop, fd: int) -> None:
    loop.remove_reader(fd)
    for waiter in _WAITERS.pop((id(loop), fd), []):
        if not waiter.done():
            waiter.set_result(None)
