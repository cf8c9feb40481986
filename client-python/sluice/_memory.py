"""Memory that peers can reach, and what a tensor's memory is."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from . import _library as c
from ._errors import check
from ._library import lib
from ._remote import Remote

if TYPE_CHECKING:
    from ._client import Client


class Memory:
    """Memory that peers can reach by its key. It has the buffer protocol through ``memoryview(m)`` and ``numpy.frombuffer(m)``."""

    def __init__(self, client: Client, handle: c_void_p, owner: Any = None) -> None:
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


def device_memory(tensor: Any) -> Tuple[int, int]:
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
