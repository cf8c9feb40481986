/*
 * device SOCKET_A SOCKET_B HOST:PORT_OF_B LIBRARY plain|expandable SECONDS: GPU memory of this process is written from one client's into
 * another's and compared, for so long. LIBRARY is the CUDA driver; the library is told of it by SLUICE_CUDA_LIBRARY.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sluice.h"

#define SIZE ((uint64_t)5 << 20)
#define GRANULE ((uint64_t)2 << 20)

static void *driver;

static void fail(const char *what, int result) {
    fprintf(stderr, "%s: %d %s\n", what, result, sluice_error());
    exit(1);
}

static void check(const char *what, int result) {
    if (result < 0) {
        fail(what, result);
    }
}

#define CALL(name, types, ...)                                     \
    do {                                                           \
        int(*function) types;                                      \
        void *symbol = dlsym(driver, name);                        \
        memcpy(&function, &symbol, sizeof function);               \
        int called = function == NULL ? -1 : function(__VA_ARGS__); \
        if (called != 0) {                                         \
            fail(name, called);                                    \
        }                                                          \
    } while (0)

typedef unsigned long long number;

static uint64_t plain(void) {
    uint64_t address = 0;
    CALL("cuMemAlloc_v2", (uint64_t *, size_t), &address, SIZE);
    return address;
}

/* As PyTorch's expandable segments: allocations one behind the other. */
static uint64_t expandable(void) {
    uint64_t address = 0;
    struct {
        int type, handle_types, location_type, location_id;
        void *unused;
        unsigned char flags[8];
    } properties = {1, 1, 1, 0, NULL, {0}};
    struct {
        int location_type, location_id, flags;
    } access = {1, 0, 3};
    CALL("cuMemAddressReserve", (uint64_t *, size_t, size_t, uint64_t, number), &address, 3 * GRANULE, 0, 0, 0);
    for (int i = 0; i < 3; i++) {
        void *handle;
        CALL("cuMemCreate", (void **, size_t, const void *, number), &handle, GRANULE, &properties, 0);
        CALL("cuMemMap", (uint64_t, size_t, size_t, void *, number), address + i * GRANULE, GRANULE, 0, handle, 0);
        CALL("cuMemRelease", (void *), handle);
    }
    CALL("cuMemSetAccess", (uint64_t, size_t, const void *, size_t), address, 3 * GRANULE, &access, 1);
    return address;
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: device SOCKET_A SOCKET_B HOST:PORT_OF_B LIBRARY plain|expandable SECONDS\n");
        return 2;
    }
    driver = dlopen(argv[4], RTLD_NOW);
    if (driver == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int device;
    void *context;
    CALL("cuInit", (unsigned), 0);
    CALL("cuDeviceGet", (int *, int), &device, 0);
    CALL("cuDevicePrimaryCtxRetain", (void **, int), &context, device);
    CALL("cuCtxSetCurrent", (void *), context);
    uint64_t (*make)(void) = strcmp(argv[5], "plain") == 0 ? plain : expandable;
    uint64_t from = make(), to = make();

    sluice *a, *b;
    sluice_memory *source, *target, *again, *none;
    sluice_link *link;
    sluice_remote there;
    check("open a", sluice_open(&(sluice_options){.socket = argv[1], .name = "device a"}, &a));
    check("open b", sluice_open(&(sluice_options){.socket = argv[2], .name = "device b"}, &b));
    check("source", sluice_register_device(a, (void *)(uintptr_t)from, SIZE, NULL, &source));
    check("target", sluice_register_device(b, (void *)(uintptr_t)to, SIZE, NULL, &target));
    check("remote", sluice_remote_of(target, &there));

    /* twice is fine, also under the same key; under that key for other memory it is not; host memory and what is not there are not */
    check("again", sluice_register_device(a, (void *)(uintptr_t)from, SIZE, NULL, &again));
    check("free", sluice_free(again));
    sluice_remote mine;
    check("key", sluice_remote_of(source, &mine));
    if (sluice_register_device(a, (void *)(uintptr_t)from, SIZE - 1, &mine.key, &none) != SLUICE_IN_USE) {
        fail("another memory under the same key", 0);
    }
    if (sluice_register_device(a, &there, sizeof there, NULL, &none) != SLUICE_INVALID) {
        fail("host memory as a GPU's", 0);
    }
    if (sluice_register_device(a, (void *)(uintptr_t)from, SIZE + 4 * GRANULE, NULL, &none) != SLUICE_BOUNDS) {
        fail("memory beyond its allocation", 0);
    }

    check("link", sluice_connect(a, sluice_gpu_of(source), sluice_gpu_of(target), argv[3], 30000, &link));
    unsigned char *data = malloc(SIZE), *found = malloc(SIZE);
    printf("started\n");
    fflush(stdout);
    time_t end = time(NULL) + atol(argv[6]);
    unsigned round = 0;
    do {
        for (uint64_t i = 0; i < SIZE; i++) {
            data[i] = (unsigned char)(i * 31 + (i >> 12) + round);
        }
        CALL("cuMemcpyHtoD_v2", (uint64_t, const void *, size_t), from, data, SIZE);
        sluice_request request;
        check("write", sluice_write(link, source, 0, SIZE, &there, 0, NULL, &request));
        check("wait", sluice_wait(a, request, 60000, NULL));
        CALL("cuMemcpyDtoH_v2", (void *, uint64_t, size_t), found, to, SIZE);
        if (memcmp(data, found, SIZE) != 0) {
            fail("wrong bytes", 0);
        }
        round++;
    } while (time(NULL) < end);
    check("free source", sluice_free(source));
    check("free target", sluice_free(target));
    sluice_close(a);
    sluice_close(b);
    free(data);
    free(found);
    printf("ok\n");
    return 0;
}
