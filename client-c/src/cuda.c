/*
 * The handles of CUDA memory, for the daemon to open it by. The driver is loaded when it is first needed; nothing here depends on CUDA's
 * headers. Every call is made with the memory's own device current, whatever the calling thread has.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* values of cuda.h */
enum { CU_SUCCESS = 0, CU_INVALID_CONTEXT = 201 };
enum { ATTRIBUTE_MEMORY_TYPE = 2, ATTRIBUTE_BUFFER_ID = 7, ATTRIBUTE_DEVICE_ORDINAL = 9, MEMORY_TYPE_DEVICE = 2, HANDLE_TYPE_POSIX_FD = 1 };

typedef int result;
typedef struct {
    char bytes[16];
} uuid;

static struct {
    const char *why; /* it cannot be used; NULL when it can */
    result (*init)(unsigned flags);
    result (*error_name)(result r, const char **name);
    result (*device_get)(int *device, int ordinal);
    result (*device_count)(int *count);
    result (*device_uuid)(uuid *out, int device);
    result (*context_retain)(void **context, int device);
    result (*context_release)(int device);
    result (*context_push)(void *context);
    result (*context_pop)(void **context);
    result (*pointer_attribute)(void *value, int attribute, uint64_t pointer);
    result (*address_range)(uint64_t *base, size_t *bytes, uint64_t pointer);
    result (*ipc_handle)(void *handle, uint64_t base);
    result (*retain)(void **handle, void *pointer);
    result (*export_handle)(void *out, void *handle, int type, unsigned long long flags);
    result (*release)(void *handle);
} cu;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    const char *told = getenv("SLUICE_CUDA_LIBRARY");
    void *library = dlopen(told != NULL && told[0] != 0 ? told : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        cu.why = "there is no CUDA driver (libcuda.so.1) in this process's reach";
        return;
    }
    const struct {
        void *function;
        const char *name;
        bool needed;
    } all[] = {{&cu.init, "cuInit", true}, {&cu.error_name, "cuGetErrorName", true}, {&cu.device_get, "cuDeviceGet", true},
        {&cu.device_count, "cuDeviceGetCount", true}, {&cu.device_uuid, "cuDeviceGetUuid_v2", false},
        {&cu.context_retain, "cuDevicePrimaryCtxRetain", true}, {&cu.context_release, "cuDevicePrimaryCtxRelease_v2", true},
        {&cu.context_push, "cuCtxPushCurrent_v2", true}, {&cu.context_pop, "cuCtxPopCurrent_v2", true},
        {&cu.pointer_attribute, "cuPointerGetAttribute", true}, {&cu.address_range, "cuMemGetAddressRange_v2", true},
        {&cu.ipc_handle, "cuIpcGetMemHandle", true}, {&cu.retain, "cuMemRetainAllocationHandle", false},
        {&cu.export_handle, "cuMemExportToShareableHandle", false}, {&cu.release, "cuMemRelease", false}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        void *symbol = dlsym(library, all[i].name);
        if (symbol == NULL && all[i].needed) {
            cu.why = "the CUDA driver is too old: it lacks functions to share memory";
            return;
        }
        memcpy(all[i].function, &symbol, sizeof symbol);
    }
    if (cu.device_uuid == NULL) {
        void *symbol = dlsym(library, "cuDeviceGetUuid");
        memcpy(&cu.device_uuid, &symbol, sizeof symbol);
    }
    if (cu.device_uuid == NULL) {
        cu.why = "the CUDA driver is too old: it does not name devices";
    } else if (cu.init(0) != CU_SUCCESS) {
        cu.why = "the CUDA driver does not start in this process";
    }
}

static const char *name_of(result r) {
    const char *name = NULL;
    return cu.error_name(r, &name) == CU_SUCCESS && name != NULL ? name : "unknown error";
}

/* The device that memory is on. A driver that wants a context for the question is asked in each device's. */
static int device_of(uint64_t pointer, int *ordinal) {
    unsigned type = 0;
    result r = cu.pointer_attribute(&type, ATTRIBUTE_MEMORY_TYPE, pointer);
    if (r == CU_SUCCESS) {
        r = cu.pointer_attribute(ordinal, ATTRIBUTE_DEVICE_ORDINAL, pointer);
    }
    int count = 0;
    if (r == CU_INVALID_CONTEXT && cu.device_count(&count) == CU_SUCCESS) {
        for (int i = 0; i < count && r != CU_SUCCESS; i++) {
            int device;
            void *context;
            if (cu.device_get(&device, i) != CU_SUCCESS || cu.context_retain(&context, device) != CU_SUCCESS) {
                continue;
            }
            if (cu.context_push(context) == CU_SUCCESS) {
                r = cu.pointer_attribute(&type, ATTRIBUTE_MEMORY_TYPE, pointer);
                if (r == CU_SUCCESS) {
                    r = cu.pointer_attribute(ordinal, ATTRIBUTE_DEVICE_ORDINAL, pointer);
                }
                cu.context_pop(&context);
            }
            cu.context_release(device);
        }
    }
    if (r != CU_SUCCESS || type != MEMORY_TYPE_DEVICE) {
        return sluice_fail(SLUICE_INVALID, "the CUDA driver knows no device memory at 0x%llx (%s)", (unsigned long long)pointer,
                r == CU_SUCCESS ? "it is host memory" : name_of(r));
    }
    return 0;
}

static int refused(uint64_t at, result legacy, result vmm) {
    return sluice_fail(SLUICE_NOT_SUPPORTED,
            "GPU memory at 0x%llx cannot be shared with another process: no IPC handle (%s), no handle that goes as a descriptor (%s). Use"
            " cudaMalloc, or an allocator whose handles are POSIX descriptors; cudaMallocAsync's pools have neither",
            (unsigned long long)at, name_of(legacy), vmm == CU_SUCCESS ? "this driver has none" : name_of(vmm));
}

/* The descriptor of the allocation at an address. */
static int descriptor_of(uint64_t base, int *fd) {
    if (cu.retain == NULL || cu.export_handle == NULL || cu.release == NULL) {
        return -1;
    }
    void *handle;
    result r = cu.retain(&handle, (void *)(uintptr_t)base);
    if (r == CU_SUCCESS) {
        r = cu.export_handle(fd, handle, HANDLE_TYPE_POSIX_FD, 0);
        cu.release(handle);
    }
    return r;
}

static int add(device_export *out, uint64_t base, uint64_t size, result legacy) {
    if (out->count == out->room) {
        uint32_t room = out->room == 0 ? 16 : 2 * out->room;
        void *fds = realloc(out->fds, room * sizeof *out->fds);
        if (fds != NULL) {
            out->fds = fds;
        }
        void *sizes = realloc(out->sizes, room * sizeof *out->sizes);
        if (sizes != NULL) {
            out->sizes = sizes;
        }
        if (fds == NULL || sizes == NULL) {
            return sluice_fail(SLUICE_SYSTEM, "no memory");
        }
        out->room = room;
    }
    int fd = -1;
    result r = descriptor_of(base, &fd);
    if (r != CU_SUCCESS) {
        return refused(base, legacy, r < 0 ? CU_SUCCESS : r);
    }
    out->fds[out->count] = fd;
    out->sizes[out->count++] = size;
    return 0;
}

/* The memory's device is current. */
static int export_parts(uint64_t pointer, uint64_t bytes, device_export *out) {
    unsigned long long buffer = 0;
    if (cu.pointer_attribute(&buffer, ATTRIBUTE_BUFFER_ID, pointer) != CU_SUCCESS) {
        buffer = pointer;
    }
    out->buffer = buffer;
    for (uint64_t at = pointer; at < pointer + bytes;) {
        uint64_t base = 0;
        size_t size = 0;
        result r = cu.address_range(&base, &size, at);
        if (r != CU_SUCCESS || at - base >= size) {
            return sluice_fail(SLUICE_BOUNDS, "%llu bytes at 0x%llx are not all allocated: nothing is at 0x%llx (%s)",
                    (unsigned long long)bytes, (unsigned long long)pointer, (unsigned long long)at, name_of(r));
        }
        r = cu.ipc_handle(out->handle, base);
        if (r == CU_SUCCESS) {
            if (at != pointer || size - (at - base) < bytes) {
                return sluice_fail(SLUICE_BOUNDS, "%llu bytes at 0x%llx go beyond their allocation", (unsigned long long)bytes,
                        (unsigned long long)pointer);
            }
            out->legacy = true;
            out->offset = at - base;
            out->allocation = size;
            return 0;
        }
        int failed = add(out, base, size, r);
        if (failed != 0) {
            return failed;
        }
        if (at == pointer) {
            out->offset = at - base;
        }
        at = base + size;
    }
    return 0;
}

int device_describe(uint64_t pointer, uint64_t bytes, device_export *out) {
    *out = (device_export){0};
    pthread_once(&once, load);
    if (cu.why != NULL) {
        return sluice_fail(SLUICE_NOT_SUPPORTED, "%s", cu.why);
    }
    int ordinal = 0, device;
    int failed = device_of(pointer, &ordinal);
    if (failed != 0) {
        return failed;
    }
    void *context;
    result r = cu.device_get(&device, ordinal);
    if (r == CU_SUCCESS) {
        r = cu.device_uuid((uuid *)(void *)out->uuid, device);
    }
    if (r == CU_SUCCESS) {
        r = cu.context_retain(&context, device);
    }
    if (r != CU_SUCCESS) {
        return sluice_fail(SLUICE_SYSTEM, "GPU %d: %s", ordinal, name_of(r));
    }
    r = cu.context_push(context);
    if (r == CU_SUCCESS) {
        failed = export_parts(pointer, bytes, out);
        cu.context_pop(&context);
    } else {
        failed = sluice_fail(SLUICE_SYSTEM, "GPU %d: %s", ordinal, name_of(r));
    }
    cu.context_release(device);
    if (failed != 0) {
        device_forget(out);
    }
    return failed;
}

void device_forget(device_export *e) {
    for (uint32_t i = 0; i < e->count; i++) {
        close(e->fds[i]);
    }
    free(e->fds);
    free(e->sizes);
    e->fds = NULL;
    e->sizes = NULL;
    e->count = 0;
}
