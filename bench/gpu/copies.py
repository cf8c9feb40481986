"""What the CUDA driver's own copies reach between two GPUs, or on one; by one thread's memmove where GPUs are plain memory."""
import ctypes
import os
import time

COPIES = 16
ROUNDS = 3


def rates(backend, pair, sizes):
    """GB/s of copies of each size, in one direction: the better of a copy that the source's context orders and the target's."""
    if backend == "host":
        return {s: host(s) for s in sizes}
    driver = Driver()
    if pair[0] == pair[1]:
        return {s: driver.rate(*pair, s, 0) for s in sizes}
    found = {}
    for s in sizes:
        by_source, by_target = (driver.rate(*pair, s, ordered_by) for ordered_by in (0, 1))
        print(f"  driver, {s >> 20} MiB: ordered by the source's context {by_source} GB/s, by the target's {by_target}", flush=True)
        found[s] = max(by_source, by_target)
    return found


def host(size):
    a = ctypes.create_string_buffer(size)
    b = ctypes.create_string_buffer(size)
    ctypes.memset(a, 1, size)
    ctypes.memset(b, 2, size)
    best = 0.0
    for _ in range(2 * ROUNDS):
        start = time.perf_counter()
        for _ in range(4):
            ctypes.memmove(b, a, size)
        best = max(best, 4 * size / (time.perf_counter() - start) / 1e9)
    return round(best, 2)


class Driver:
    def __init__(self):
        self.cuda = ctypes.CDLL(os.environ.get("SLUICE_CUDA_LIBRARY", "libcuda.so.1"))
        self.call("cuInit", ctypes.c_uint(0))
        self.contexts = {}

    def call(self, name, *arguments):
        result = getattr(self.cuda, name)(*arguments)
        if result:
            raise RuntimeError(f"{name} says {result}")

    def context(self, ordinal):
        if ordinal not in self.contexts:
            device, context = ctypes.c_int(), ctypes.c_void_p()
            self.call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(ordinal))
            self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
            self.contexts[ordinal] = context
        self.call("cuCtxSetCurrent", self.contexts[ordinal])
        return self.contexts[ordinal]

    def memory(self, ordinal, size):
        self.context(ordinal)
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address

    def rate(self, source, target, size, ordered_by):
        a, b = self.memory(source, size), self.memory(target, size)
        stream = ctypes.c_void_p()
        if source != target:
            for here, there in ((source, target), (target, source)):
                other = self.context(there)
                self.context(here)
                self.cuda.cuCtxEnablePeerAccess(other, ctypes.c_uint(0))  # again is an error that says nothing
        self.context((source, target)[ordered_by])
        self.call("cuStreamCreate", ctypes.byref(stream), ctypes.c_uint(1))
        best = 0.0
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            for _ in range(COPIES):
                if source == target:
                    self.call("cuMemcpyDtoDAsync_v2", b, a, ctypes.c_size_t(size), stream)
                else:
                    self.call("cuMemcpyPeerAsync", b, self.contexts[target], a, self.contexts[source], ctypes.c_size_t(size), stream)
            while self.cuda.cuStreamQuery(stream) == 600:
                pass
            best = max(best, COPIES * size / (time.perf_counter() - start) / 1e9)
        self.call("cuStreamDestroy_v2", stream)
        for ordinal, address in ((source, a), (target, b)):
            self.context(ordinal)
            self.call("cuMemFree_v2", address)
        return round(best, 2)
