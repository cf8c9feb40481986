/*
 * A CUDA driver that does nothing and is always done: what is left of a launch's time is Sluice's own. Only bench/gpu/host-cost.sh
 * uses it; no byte is moved, so nothing can be verified on it (the testkit's fake_cuda.c moves them).
 *
 * gcc -O2 -fPIC -shared null_cuda.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;

/* Handles and addresses: any number that is not 0, pages apart. */
static uint64_t next(void) {
    static uint64_t n = 1ull << 40;
    return n += 1ull << 32;
}

CUresult cuInit(unsigned flags) { return flags != 0; }
CUresult cuDriverGetVersion(int *version) { return *version = 13000, 0; }
CUresult cuGetErrorName(CUresult result, const char **name) { return (void)result, *name = "an error", 0; }
CUresult cuGetErrorString(CUresult result, const char **text) { return (void)result, *text = "none", 0; }
CUresult cuDeviceGetCount(int *count) { return *count = 1, 0; }
CUresult cuDeviceGet(int *device, int ordinal) { return *device = ordinal, 0; }
CUresult cuDeviceGetName(char *name, int room, int device) { return (void)device, strncpy(name, "null", room), 0; }
CUresult cuDeviceGetPCIBusId(char *id, int room, int device) { return (void)device, strncpy(id, "0000:00:00.0", room), 0; }
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) { return (void)attribute, (void)device, *value = 200, 0; }
CUresult cuDevicePrimaryCtxRetain(uint64_t *context, int device) { return (void)device, *context = next(), 0; }
CUresult cuDevicePrimaryCtxRelease_v2(int device) { return (void)device, 0; }
CUresult cuCtxSetCurrent(uint64_t context) { return (void)context, 0; }
CUresult cuDeviceCanAccessPeer(int *can, int a, int b) { return (void)a, (void)b, *can = 1, 0; }
CUresult cuCtxEnablePeerAccess(uint64_t context, unsigned flags) { return (void)context, (void)flags, 0; }
CUresult cuMemAlloc_v2(uint64_t *address, size_t bytes) { return (void)bytes, *address = next(), 0; }
CUresult cuMemFree_v2(uint64_t address) { return (void)address, 0; }
CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
    (void)flags;
    *address = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
    return *address ? memset(*address, 0, bytes), 0 : 2;
}
CUresult cuMemFreeHost(void *address) { return free(address), 0; }
CUresult cuMemHostGetDevicePointer_v2(uint64_t *device, void *host, unsigned flags) {
    return (void)flags, *device = (uint64_t)(uintptr_t)host, 0;
}
CUresult cuPointerGetAttribute(unsigned *value, int attribute, uint64_t pointer) {
    return (void)pointer, *value = attribute == 2 ? 1 : 0, 0;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, uint64_t s) { return (void)to, (void)from, (void)n, (void)s, 0; }
CUresult cuMemcpyHtoDAsync_v2(uint64_t to, void *from, size_t n, uint64_t s) { return (void)to, (void)from, (void)n, (void)s, 0; }
CUresult cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, uint64_t s) {
    return (void)to, (void)from, (void)n, (void)s, 0;
}
CUresult cuStreamCreate(uint64_t *stream, unsigned flags) { return (void)flags, *stream = next(), 0; }
CUresult cuStreamQuery(uint64_t stream) { return (void)stream, 0; }
CUresult cuStreamDestroy_v2(uint64_t stream) { return (void)stream, 0; }
CUresult cuEventCreate(uint64_t *event, unsigned flags) { return (void)flags, *event = next(), 0; }
CUresult cuEventRecord(uint64_t event, uint64_t stream) { return (void)event, (void)stream, 0; }
CUresult cuEventQuery(uint64_t event) { return (void)event, 0; }
CUresult cuEventDestroy_v2(uint64_t event) { return (void)event, 0; }
CUresult cuModuleLoadData(uint64_t *module, const void *image) { return (void)image, *module = next(), 0; }
CUresult cuModuleGetFunction(uint64_t *function, uint64_t module, const char *name) {
    return (void)module, (void)name, *function = next(), 0;
}
CUresult cuModuleUnload(uint64_t module) { return (void)module, 0; }
/* The driver copies the parameters: so does this, of an unpack's as many as it has; a list's moves are longer. */
CUresult cuLaunchKernel(uint64_t f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                        uint64_t stream, void **parameters, void **extra) {
    static volatile char copy[2048];
    (void)f, (void)gx, (void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)stream, (void)extra;
    memcpy((char *)copy, parameters[0], 1552);
    return 0;
}
