"""GPU memory without PyTorch: the driver through ctypes, in the two kinds that PyTorch's allocators give.

Buffer(bytes, "plain") is an allocation as cudaMalloc makes it, Buffer(bytes, "expandable") several physical allocations mapped one behind
the other, as expandable_segments makes them. SLUICE_CUDA_LIBRARY names another driver than libcuda.so.1.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_int, c_size_t, c_uint64, c_ulonglong, c_void_p

SEGMENT = 20 << 20  # of PyTorch's large segments
GRANULE = 2 << 20


class _Properties(ctypes.Structure):
    """CUmemAllocationProp."""

    _fields_ = [
        ("type", c_int),
        ("handle_types", c_int),
        ("location_type", c_int),
        ("location_id", c_int),
        ("unused", c_void_p),
        ("flags", ctypes.c_ubyte * 8),
    ]


class _Access(ctypes.Structure):
    _fields_ = [("location_type", c_int), ("location_id", c_int), ("flags", c_int)]


_driver = None


def _cuda():
    global _driver
    if _driver is None:
        _driver = ctypes.CDLL(os.environ.get("SLUICE_CUDA_LIBRARY") or "libcuda.so.1")
        _call("cuInit", 0)
    return _driver


def _call(name, *arguments):
    result = getattr(_driver, name)(*arguments)
    if result != 0:
        text = ctypes.c_char_p()
        _driver.cuGetErrorName(result, byref(text))
        raise OSError(f"{name}: {(text.value or b'?').decode()} ({result})")


class Buffer:
    """Device memory of the first visible GPU, or another. Has the CUDA array interface."""

    def __init__(self, nbytes: int, kind: str = "plain", ordinal: int = 0) -> None:
        _cuda()
        self.nbytes = nbytes
        self.kind = kind
        device = c_int()
        _call("cuDeviceGet", byref(device), ordinal)
        self._context = c_void_p()
        _call("cuDevicePrimaryCtxRetain", byref(self._context), device)
        self._device = device.value
        self._bind()
        address = c_uint64()
        if kind == "plain":
            _call("cuMemAlloc_v2", byref(address), c_size_t(nbytes))
        else:
            self._map(address)
        self.address = address.value

    def _bind(self) -> None:
        _call("cuCtxSetCurrent", self._context)

    def _map(self, address: c_uint64) -> None:
        self._reserved = (self.nbytes + GRANULE - 1) // GRANULE * GRANULE
        _call("cuMemAddressReserve", byref(address), c_size_t(self._reserved), c_size_t(0), c_uint64(0), c_ulonglong(0))
        properties = _Properties(type=1, handle_types=1, location_type=1, location_id=self._device)
        self._sizes = []
        for at in range(0, self._reserved, SEGMENT):
            size = min(SEGMENT, self._reserved - at)
            handle = c_uint64()
            _call("cuMemCreate", byref(handle), c_size_t(size), byref(properties), c_ulonglong(0))
            _call("cuMemMap", c_uint64(address.value + at), c_size_t(size), c_size_t(0), handle, c_ulonglong(0))
            _call("cuMemRelease", handle)
            self._sizes.append(size)
        access = _Access(1, self._device, 3)
        _call("cuMemSetAccess", address, c_size_t(self._reserved), byref(access), c_size_t(1))

    @property
    def __cuda_array_interface__(self):
        return {"version": 3, "shape": (self.nbytes,), "typestr": "|u1", "data": (self.address, False), "strides": None}

    def put(self, data: bytes, at: int = 0) -> None:
        """Copies bytes in, and waits."""
        self._bind()
        assert at + len(data) <= self.nbytes
        _call("cuMemcpyHtoD_v2", c_uint64(self.address + at), data, c_size_t(len(data)))
        _call("cuCtxSynchronize")

    def get(self, at: int = 0, nbytes: int = -1) -> bytes:
        """Copies bytes out."""
        self._bind()
        length = self.nbytes - at if nbytes < 0 else nbytes
        data = ctypes.create_string_buffer(length)
        _call("cuMemcpyDtoH_v2", data, c_uint64(self.address + at), c_size_t(length))
        return data.raw

    def close(self) -> None:
        self._bind()
        if self.kind == "plain":
            _call("cuMemFree_v2", c_uint64(self.address))
        else:
            at = self.address
            for size in self._sizes:
                _call("cuMemUnmap", c_uint64(at), c_size_t(size))
                at += size
            _call("cuMemAddressFree", c_uint64(self.address), c_size_t(self._reserved))
