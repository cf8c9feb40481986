/*
 * A CUDA driver without a GPU: the part of libcuda.so.1 that Sluice calls, with the contract checked.
 *
 * - Device memory is mmap'ed host memory under a tagged address (bit 62 set, which no CPU can dereference), so a device pointer
 *   used on the host faults at once. Another fake translates one with fake_cuda_host_pointer(). Pinned host memory has the same
 *   address for host and device, as with unified addressing. cuMemAlloc aligns to 256 bytes and, on purpose, not to 4096.
 * - A stream is a thread that does its operations in order, after FAKE_CUDA_DELAY_US each: who reads too early reads old bytes.
 * - Kernels are recognised by name; cuModuleGetFunction looks the name up among the .entry directives of the PTX it was given.
 * - Contract: the right context must be current; streams, events and memory belong to a context; copies stay inside one
 *   allocation; nothing is freed twice or used after. A breach answers the driver's error, is counted, and the first is kept
 *   as text (fake_cuda_breach).
 * - fake_cuda_count(name) tells live device_bytes, device_blocks, pinned_bytes, pinned_blocks, streams, events, modules,
 *   contexts, imports, reservations, vmm_handles, and the totals breaches, calls, launches, copies, queries.
 * - Between processes: legacy IPC handles and VMM descriptors, with the rules of real drivers. Device memory lies in memfds. A handle
 *   is made of an allocation's base, is refused in the process that made it (201), and opening it again counts and answers the same
 *   address. What was opened outlives the process that made it.
 * - Settings, from the environment when the library is loaded or by fake_cuda_set(name, value) at any time:
 *   FAKE_CUDA_DEVICES (2), FAKE_CUDA_DRIVER (13000), FAKE_CUDA_MEMORY (bytes a device, 4 GiB), FAKE_CUDA_DELAY_US (0),
 *   FAKE_CUDA_NO_PEER (0), FAKE_CUDA_NO_IPC (0: new memory has handles; 1: none, as a stream-ordered pool's),
 *   FAKE_CUDA_IDLE_LISTS (0; 1: sluice_lists moves nothing, so that only what the host does takes time),
 *   FAKE_CUDA_FAIL = "call:result[:nth]": that call answers that result once, the nth time from now (1).
 *   CUDA_VISIBLE_DEVICES (all: which of the devices this process has, and in which order),
 *   FAKE_CUDA_WRITES_ORDERING (100, CU_GPU_DIRECT_RDMA_WRITES_ORDERING_OWNER): 0 for a device that has to flush what NICs write.
 * - cuFlushGPUDirectRDMAWrites is counted (flushes), and tells whoever gave it a function by fake_cuda_on_flush.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define TAG (1ull << 62)
#define MAX_DEVICES 16

typedef int CUresult;
typedef int CUdevice;
typedef uint64_t CUdeviceptr;

enum {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_PTX = 218,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    PEER_ALREADY_ENABLED = 704,
    PEER_UNSUPPORTED = 217,
};

typedef struct Context {
    int device;
    int retained;
    uint32_t peers;
} Context;

typedef struct Vmm { /* physical memory of cuMemCreate or an import */
    int fd, device, references, exportable;
    uint64_t bytes;
} Vmm;

typedef struct Block {
    struct Block *next;
    uint64_t address; /* as the caller knows it */
    uint64_t bytes;
    int device; /* -1: pinned host memory */
    void *map;
    uint64_t map_bytes;
    enum { OWN, OPENED, MAPPED } kind;
    uint64_t id;         /* differs from that of every other block of this process */
    int fd, shareable;   /* device memory: the memfd it lies in */
    int opened_pid;      /* OPENED: whose, which, in which context, and how often */
    uint64_t opened_id;
    Context *opened_in;
    int opens;
    Vmm *vmm;            /* MAPPED: what, and the devices that may touch it */
    uint32_t access;
} Block;

typedef struct Reservation {
    struct Reservation *next;
    uint64_t address, bytes;
} Reservation;

typedef struct Event {
    Context *context;
    uint64_t recorded, reached; /* how often put into a stream, and passed by it */
    int destroyed;
} Event;

typedef struct Operation {
    struct Operation *next;
    enum { COPY, LAUNCH, RECORD } kind;
    void *to;
    const void *from;
    uint64_t bytes;
    Event *event;
    int kernel;
    uint32_t blocks, threads;
    unsigned char parameters[4096];
} Operation;

typedef struct Stream {
    Context *context;
    pthread_t thread;
    pthread_cond_t changed;
    Operation *first, *last;
    int busy, closing;
    struct Stream *next;
} Stream;

typedef struct Module {
    Context *context;
    char *ptx;
} Module;

typedef struct Function {
    Module *module;
    int kernel;
    struct Function *next;
} Function;

enum { UNPACK, FILL, MISMATCH, PIECES, LISTS, KERNELS };
static const char *const KERNEL_NAMES[KERNELS] = {"sluice_unpack", "sluice_pattern_fill", "sluice_pattern_mismatch",
                                                  "sluice_pieces", "sluice_lists"};
static const int KERNEL_PARAMETERS[KERNELS] = {1, 4, 5, 4, 1};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Context contexts[MAX_DEVICES];
static Block *blocks;
static Reservation *reservations;
static uint64_t next_id = 1;
static int no_ipc, idle_lists;
static long vmm_handles;
static Stream *streams;
static Function *functions;
static _Thread_local Context *current;
static int initialized, devices = 2, driver_version = 13000, delay_us, no_peer, writes_ordering = 100;
static int visible[MAX_DEVICES], hides; /* what others call this process's devices, where it does not have all */
static uint64_t memory_per_device = 4ull << 30, device_used[MAX_DEVICES];
static char failing_call[64];
static int failing_result, failing_after;
static char first_breach[512];
static long live_streams, live_events, live_modules, breaches, calls, launches, copies, queries, flushes;
static void (*on_flush)(void);

static void setting(const char *name, const char *value) {
    if (!strcmp(name, "FAKE_CUDA_DEVICES")) devices = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_DRIVER")) driver_version = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_MEMORY")) memory_per_device = strtoull(value, NULL, 10);
    else if (!strcmp(name, "FAKE_CUDA_DELAY_US")) delay_us = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_NO_PEER")) no_peer = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_WRITES_ORDERING")) writes_ordering = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_NO_IPC")) no_ipc = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_IDLE_LISTS")) idle_lists = atoi(value);
    else if (!strcmp(name, "FAKE_CUDA_FAIL")) {
        failing_after = 1;
        failing_call[0] = 0;
        sscanf(value, "%63[^:]:%d:%d", failing_call, &failing_result, &failing_after);
    }
    if (devices > MAX_DEVICES) devices = MAX_DEVICES;
}

__attribute__((constructor)) static void read_environment(void) {
    static const char *const names[] = {"FAKE_CUDA_DEVICES", "FAKE_CUDA_DRIVER", "FAKE_CUDA_MEMORY", "FAKE_CUDA_DELAY_US",
                                        "FAKE_CUDA_NO_PEER", "FAKE_CUDA_NO_IPC", "FAKE_CUDA_IDLE_LISTS", "FAKE_CUDA_FAIL", "FAKE_CUDA_WRITES_ORDERING"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value) setting(names[i], value);
    }
    const char *shown = getenv("CUDA_VISIBLE_DEVICES");
    if (shown) {
        int count = 0;
        hides = 1;
        for (char *end; *shown && count < devices; shown = *end == ',' ? end + 1 : end) {
            int device = (int)strtol(shown, &end, 10);
            if (end == shown || device < 0 || device >= devices) break; /* as the driver: those before it count */
            visible[count++] = device;
        }
        devices = count;
    }
}

/* What others call a device of this process. */
static int physical(int device) { return hides ? visible[device] : device; }

/* What this process calls a device of others; -1 where it has it not. */
static int virtual(int device) {
    if (!hides) return device < devices ? device : -1;
    for (int d = 0; d < devices; d++)
        if (visible[d] == device) return d;
    return -1;
}

EXPORT void fake_cuda_set(const char *name, const char *value) {
    pthread_mutex_lock(&lock);
    setting(name, value);
    pthread_mutex_unlock(&lock);
}

/* With the lock held. */
static CUresult breach(CUresult result, const char *format, ...) {
    char text[sizeof first_breach];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (!breaches++) strcpy(first_breach, text);
    if (getenv("FAKE_CUDA_TRACE")) fprintf(stderr, "fake_cuda: %s\n", text);
    return result;
}

EXPORT const char *fake_cuda_breach(void) { return first_breach; }

EXPORT long fake_cuda_count(const char *what) {
    long imports = 0, reserved = 0;
    long answer = -1, device_bytes = 0, device_blocks = 0, pinned_bytes = 0, pinned_blocks = 0, retained = 0;
    pthread_mutex_lock(&lock);
    for (Block *b = blocks; b; b = b->next) {
        if (b->kind == OPENED) imports += b->opens;
        else if (b->kind == MAPPED) continue;
        else if (b->device >= 0) device_bytes += b->bytes, device_blocks++;
        else pinned_bytes += b->bytes, pinned_blocks++;
    }
    for (Reservation *at = reservations; at; at = at->next) reserved++;
    for (int d = 0; d < MAX_DEVICES; d++) retained += contexts[d].retained;
    const struct { const char *name; long value; } all[] = {
        {"device_bytes", device_bytes}, {"device_blocks", device_blocks}, {"pinned_bytes", pinned_bytes},
        {"pinned_blocks", pinned_blocks}, {"streams", live_streams}, {"events", live_events}, {"modules", live_modules},
        {"contexts", retained}, {"breaches", breaches}, {"calls", calls}, {"launches", launches}, {"copies", copies},
        {"queries", queries}, {"flushes", flushes}, {"imports", imports}, {"reservations", reserved},
        {"vmm_handles", vmm_handles}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, what)) answer = all[i].value;
    pthread_mutex_unlock(&lock);
    return answer;
}

/* The block that holds [address, address + bytes); null if none does. With the lock held. */
static Block *find(uint64_t address, uint64_t bytes) {
    for (Block *b = blocks; b; b = b->next)
        if (address >= b->address && bytes <= b->bytes && address - b->address <= b->bytes - bytes) return b;
    return NULL;
}

static void *host_of(uint64_t address) { return (void *)(uintptr_t)(address & ~TAG); }

/* The bytes of a device (or pinned) pointer for fakes of other libraries; null if it is in no live allocation. */
EXPORT void *fake_cuda_host_pointer(CUdeviceptr pointer) {
    pthread_mutex_lock(&lock);
    Block *b = find(pointer, 1);
    pthread_mutex_unlock(&lock);
    return b ? host_of(pointer) : NULL;
}

/* Every call begins here: fails on demand, before and without any effect. */
static int on_demand(const char *call, CUresult *result) {
    pthread_mutex_lock(&lock);
    calls++;
    int fails = failing_call[0] && !strcmp(failing_call, call) && --failing_after == 0;
    if (fails) {
        *result = failing_result;
        failing_call[0] = 0;
    }
    pthread_mutex_unlock(&lock);
    return fails;
}

#define BEGIN                                            \
    do {                                                 \
        CUresult demanded;                               \
        if (on_demand(__func__, &demanded)) return demanded; \
    } while (0)

#define LOCKED(expression)             \
    do {                               \
        pthread_mutex_lock(&lock);     \
        CUresult locked = (expression); \
        pthread_mutex_unlock(&lock);   \
        return locked;                 \
    } while (0)

static int is_current(const char *call, CUresult *result) {
    if (!initialized) *result = breach(NOT_INITIALIZED, "%s before cuInit", call);
    else if (!current) *result = breach(INVALID_CONTEXT, "%s with no context current on the thread", call);
    else if (!current->retained) *result = breach(INVALID_CONTEXT, "%s in a released context", call);
    else return 1;
    return 0;
}

/* ---- driver and devices ---- */

EXPORT CUresult cuInit(unsigned flags) {
    BEGIN;
    if (flags) return INVALID_VALUE;
    if (devices < 1) return NO_DEVICE;
    initialized = 1;
    for (int d = 0; d < MAX_DEVICES; d++) contexts[d].device = d;
    return SUCCESS;
}

EXPORT CUresult cuDriverGetVersion(int *version) {
    BEGIN;
    *version = driver_version;
    return SUCCESS;
}

EXPORT CUresult cuGetErrorName(CUresult result, const char **name) {
    static const struct { CUresult result; const char *name; } known[] = {
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"}, {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"}, {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
        {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"}, {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
        {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"}, {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {INVALID_PTX, "CUDA_ERROR_INVALID_PTX"}, {NOT_READY, "CUDA_ERROR_NOT_READY"}, {999, "CUDA_ERROR_UNKNOWN"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].result == result) {
            *name = known[i].name;
            return SUCCESS;
        }
    *name = NULL;
    return INVALID_VALUE;
}

EXPORT CUresult cuGetErrorString(CUresult result, const char **text) {
    *text = result == OUT_OF_MEMORY ? "out of memory" : "as the fake driver says it";
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetCount(int *count) {
    BEGIN;
    *count = devices;
    return initialized ? SUCCESS : NOT_INITIALIZED;
}

EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    BEGIN;
    if (ordinal < 0 || ordinal >= devices) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetName(char *name, int room, CUdevice device) {
    BEGIN;
    if (device < 0 || device >= devices) return INVALID_DEVICE;
    snprintf(name, room, "Fake GPU");
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetPCIBusId(char *id, int room, CUdevice device) {
    BEGIN;
    if (device < 0 || device >= devices) return INVALID_DEVICE;
    snprintf(id, room, "0000:%02X:00.0", 0xA0 + device);
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    BEGIN;
    if (device < 0 || device >= devices) return INVALID_DEVICE;
    *value = attribute == 116 || attribute == 124 ? 1 /* GPU_DIRECT_RDMA_SUPPORTED, DMA_BUF_SUPPORTED */
             : attribute == 117                   ? 1 /* GPU_DIRECT_RDMA_FLUSH_WRITES_OPTIONS: HOST */
             : attribute == 118                   ? writes_ordering /* GPU_DIRECT_RDMA_WRITES_ORDERING */
                                                  : 0;
    return SUCCESS;
}

EXPORT void fake_cuda_on_flush(void (*told)(void)) { on_flush = told; }

EXPORT CUresult cuFlushGPUDirectRDMAWrites(int target, int scope) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuFlushGPUDirectRDMAWrites", &r)) {
        flushes++;
        r = target == 0 && (scope == 100 || scope == 200) ? SUCCESS : breach(INVALID_VALUE, "flush of %d to %d", target, scope);
    }
    pthread_mutex_unlock(&lock);
    if (r == SUCCESS && on_flush) on_flush();
    return r;
}

EXPORT CUresult cuDeviceGetUuid_v2(unsigned char *uuid, CUdevice device) {
    BEGIN;
    if (device < 0 || device >= devices) return INVALID_DEVICE;
    memset(uuid, 0xFA, 16);
    uuid[15] = (unsigned char)physical(device);
    return SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRetain(Context **context, CUdevice device) {
    BEGIN;
    if (!initialized) return NOT_INITIALIZED;
    if (device < 0 || device >= devices) return INVALID_DEVICE;
    pthread_mutex_lock(&lock);
    contexts[device].retained++;
    *context = &contexts[device];
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    BEGIN;
    if (device < 0 || device >= devices) return INVALID_DEVICE;
    pthread_mutex_lock(&lock);
    CUresult r = SUCCESS;
    if (!contexts[device].retained) r = breach(INVALID_CONTEXT, "primary context %d released too often", device);
    else contexts[device].retained--;
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuCtxSetCurrent(Context *context) {
    BEGIN;
    current = context;
    return SUCCESS;
}

/* Pushed and popped as programs do around single calls; the innermost is current. */
static _Thread_local Context *pushed[16];
static _Thread_local int pushes;

EXPORT CUresult cuCtxPushCurrent_v2(Context *context) {
    BEGIN;
    if (!context || pushes == 16) return INVALID_CONTEXT;
    pushed[pushes++] = current;
    current = context;
    return SUCCESS;
}

EXPORT CUresult cuCtxPopCurrent_v2(Context **context) {
    BEGIN;
    if (!pushes) LOCKED(breach(INVALID_CONTEXT, "a context is popped that nobody pushed"));
    if (context) *context = current;
    current = pushed[--pushes];
    return SUCCESS;
}

EXPORT CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
    BEGIN;
    if (device < 0 || device >= devices || peer < 0 || peer >= devices) return INVALID_DEVICE;
    *can = device != peer && !no_peer;
    return SUCCESS;
}

EXPORT CUresult cuCtxEnablePeerAccess(Context *peer, unsigned flags) {
    BEGIN;
    (void)flags;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuCtxEnablePeerAccess", &r)) {
        uint32_t bit = 1u << peer->device;
        r = no_peer ? PEER_UNSUPPORTED : current->peers & bit ? PEER_ALREADY_ENABLED : SUCCESS;
        current->peers |= bit;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- memory ---- */

static CUresult add_block(uint64_t *address, uint64_t bytes, int device) {
    /* both ends of a new block hold rubbish: nobody may count on zeroes */
    const uint64_t skew = device >= 0 ? 256 : 0, rubbish = 64 << 10;
    uint64_t map_bytes = (bytes + skew + 4095) & ~4095ull;
    int fd = -1;
    if (device >= 0) {
        char name[64];
        snprintf(name, sizeof name, "fake-cuda-%d-%llu", getpid(), (unsigned long long)next_id);
        fd = memfd_create(name, MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, map_bytes)) return OUT_OF_MEMORY;
    }
    void *map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        if (fd >= 0) close(fd);
        return OUT_OF_MEMORY;
    }
    memset(map, 0xC5, map_bytes < rubbish ? map_bytes : rubbish);
    if (map_bytes > rubbish) memset((char *)map + map_bytes - rubbish, 0xC5, rubbish);
    Block *b = calloc(1, sizeof *b);
    b->map = map;
    b->map_bytes = map_bytes;
    b->bytes = bytes;
    b->device = device;
    b->id = next_id++;
    b->fd = fd;
    b->shareable = !no_ipc;
    b->address = ((uint64_t)(uintptr_t)map + skew) | (device >= 0 ? TAG : 0);
    b->next = blocks;
    blocks = b;
    *address = b->address;
    return SUCCESS;
}

static CUresult remove_block(uint64_t address, int pinned) {
    for (Block **at = &blocks; *at; at = &(*at)->next) {
        Block *b = *at;
        if (b->address == address && (b->device < 0) == pinned && b->kind == OWN) {
            *at = b->next;
            if (b->device >= 0) {
                device_used[b->device] -= b->bytes;
                close(b->fd);
            }
            munmap(b->map, b->map_bytes);
            free(b);
            return SUCCESS;
        }
    }
    return breach(INVALID_VALUE, "%s memory %#llx freed twice or never allocated", pinned ? "pinned" : "device",
                  (unsigned long long)address);
}

static void drain(Context *context);

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuMemAlloc", &r)) {
        int d = current->device;
        if (!bytes) r = breach(INVALID_VALUE, "cuMemAlloc of 0 bytes");
        else if (bytes > memory_per_device - device_used[d]) r = OUT_OF_MEMORY;
        else if (!(r = add_block(address, bytes, d))) device_used[d] += bytes;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuMemFree", &r)) {
        drain(current); /* the driver's own cuMemFree waits for the device */
        r = remove_block(address, 0);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
    BEGIN;
    (void)flags;
    CUresult r;
    uint64_t at;
    pthread_mutex_lock(&lock);
    if (is_current("cuMemHostAlloc", &r)) {
        if (!bytes) r = breach(INVALID_VALUE, "cuMemHostAlloc of 0 bytes");
        else if (!(r = add_block(&at, bytes, -1))) *address = (void *)(uintptr_t)at;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemFreeHost(void *address) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuMemFreeHost", &r)) {
        drain(current);
        r = remove_block((uint64_t)(uintptr_t)address, 1);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *device, void *host, unsigned flags) {
    BEGIN;
    pthread_mutex_lock(&lock);
    Block *b = find((uint64_t)(uintptr_t)host, 1);
    CUresult r = b && !flags ? SUCCESS : breach(INVALID_VALUE, "cuMemHostGetDevicePointer of memory that is not pinned");
    *device = (uint64_t)(uintptr_t)host;
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuPointerGetAttribute(void *value, int attribute, CUdeviceptr pointer) {
    BEGIN;
    pthread_mutex_lock(&lock);
    Block *b = find(pointer, 1);
    CUresult r = b ? SUCCESS : INVALID_VALUE;
    if (b) {
        switch (attribute) {
            case 2: /* MEMORY_TYPE: 1 host, 2 device */
                *(unsigned *)value = b->device < 0 ? 1 : 2;
                break;
            case 9: /* DEVICE_ORDINAL */
                *(int *)value = b->device < 0 ? 0 : b->device;
                break;
            case 7: /* BUFFER_ID */
                *(unsigned long long *)value = b->id;
                break;
            default:
                r = breach(INVALID_VALUE, "the fake knows no pointer attribute %d", attribute);
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemGetHandleForAddressRange(void *handle, CUdeviceptr address, size_t bytes, int type,
                                              unsigned long long flags) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuMemGetHandleForAddressRange", &r)) {
        if (type != 1 || flags || (address | bytes) & 4095 || !find(address, bytes)) {
            r = breach(INVALID_VALUE, "dmabuf of a range that is no whole pages of one allocation");
        } else {
            int fd = memfd_create("fake-dmabuf", MFD_CLOEXEC);
            r = fd < 0 || ftruncate(fd, bytes) ? 999 : SUCCESS;
            *(int *)handle = fd;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- memory between processes ---- */

typedef struct {
    char magic[8];
    int pid, fd, device;
    uint64_t id, skew, bytes, map_bytes;
} Ticket;

typedef struct {
    union {
        Ticket ticket;
        char reserved[64];
    };
} IpcHandle;

#define GRANULE (2ull << 20)

EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes, CUdeviceptr pointer) {
    BEGIN;
    pthread_mutex_lock(&lock);
    Block *b = find(pointer, 1);
    CUresult r = b && b->device >= 0 ? SUCCESS : NOT_FOUND;
    if (!r) {
        if (base) *base = b->address;
        if (bytes) *bytes = b->bytes;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuIpcGetMemHandle(IpcHandle *handle, CUdeviceptr pointer) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuIpcGetMemHandle", &r)) {
        Block *b = find(pointer, 1);
        if (!b || b->device < 0) r = breach(INVALID_VALUE, "an IPC handle of what is no device memory");
        else if (b->kind != OWN || !b->shareable) r = INVALID_VALUE;
        else if (b->address != pointer) r = breach(INVALID_VALUE, "an IPC handle of an address inside an allocation");
        else {
            memset(handle, 0, sizeof *handle);
            handle->ticket = (Ticket){"fakecuda", getpid(), b->fd, physical(b->device), b->id, b->address - TAG - (uint64_t)(uintptr_t)b->map,
                                      b->bytes, b->map_bytes};
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

static CUresult open_ticket(uint64_t *address, const Ticket *t) {
    char path[64], name[64], link[128] = {0};
    if (memcmp(t->magic, "fakecuda", 8)) return INVALID_VALUE;
    int device = virtual(t->device);
    if (device < 0) return INVALID_DEVICE;
    if (t->pid == getpid()) return INVALID_CONTEXT;
    if (device != current->device && no_peer) return PEER_UNSUPPORTED;
    for (Block *b = blocks; b; b = b->next)
        if (b->kind == OPENED && b->opened_pid == t->pid && b->opened_id == t->id && b->opened_in == current) {
            b->opens++;
            *address = b->address;
            return SUCCESS;
        }
    snprintf(path, sizeof path, "/proc/%d/fd/%d", t->pid, t->fd);
    snprintf(name, sizeof name, "/memfd:fake-cuda-%d-%llu ", t->pid, (unsigned long long)t->id);
    if (readlink(path, link, sizeof link - 1) < 0 || strncmp(link, name, strlen(name))) return INVALID_VALUE;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return INVALID_VALUE;
    void *map = mmap(NULL, t->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return OUT_OF_MEMORY;
    Block *b = calloc(1, sizeof *b);
    b->map = map;
    b->map_bytes = t->map_bytes;
    b->bytes = t->bytes;
    b->device = device;
    b->address = ((uint64_t)(uintptr_t)map + t->skew) | TAG;
    b->kind = OPENED;
    b->id = next_id++;
    b->opened_pid = t->pid;
    b->opened_id = t->id;
    b->opened_in = current;
    b->opens = 1;
    b->next = blocks;
    blocks = b;
    if (device != current->device) current->peers |= 1u << device;
    *address = b->address;
    return SUCCESS;
}

EXPORT CUresult cuIpcOpenMemHandle_v2(CUdeviceptr *address, IpcHandle handle, unsigned flags) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuIpcOpenMemHandle", &r)) {
        if (flags != 1) r = breach(INVALID_VALUE, "cuIpcOpenMemHandle without lazy peer access");
        else r = open_ticket(address, &handle.ticket);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuIpcCloseMemHandle(CUdeviceptr address) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuIpcCloseMemHandle", &r)) {
        r = -1;
        for (Block **at = &blocks; *at; at = &(*at)->next) {
            Block *b = *at;
            if (b->kind == OPENED && b->address == address && b->opened_in == current) {
                if (b->opens == 1) drain(current);
                if (--b->opens == 0) {
                    *at = b->next;
                    munmap(b->map, b->map_bytes);
                    free(b);
                }
                r = SUCCESS;
                break;
            }
        }
        if (r) r = breach(INVALID_VALUE, "cuIpcCloseMemHandle of what this context has not open");
    }
    pthread_mutex_unlock(&lock);
    return r;
}

static Vmm *new_vmm(int fd, int device, uint64_t bytes, int exportable) {
    Vmm *v = calloc(1, sizeof *v);
    *v = (Vmm){fd, device, 1, exportable, bytes};
    vmm_handles++;
    return v;
}

static void let_go(Vmm *v) {
    if (--v->references == 0) {
        close(v->fd);
        free(v);
    }
}

typedef struct {
    int type, handle_types, location_type, location_id;
    void *unused;
    unsigned char flags[8];
} AllocationProp;

EXPORT CUresult cuMemCreate(Vmm **handle, size_t bytes, const AllocationProp *prop, unsigned long long flags) {
    BEGIN;
    if (flags || !bytes || bytes % GRANULE || prop->type != 1 || prop->location_type != 1 || prop->location_id >= devices)
        LOCKED(breach(INVALID_VALUE, "cuMemCreate of %zu bytes", bytes));
    int fd = memfd_create("fake-cuda-vmm", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, bytes)) return OUT_OF_MEMORY;
    pthread_mutex_lock(&lock);
    *handle = new_vmm(fd, prop->location_id, bytes, prop->handle_types & 1);
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

EXPORT CUresult cuMemRelease(Vmm *handle) {
    BEGIN;
    pthread_mutex_lock(&lock);
    vmm_handles--;
    let_go(handle);
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

EXPORT CUresult cuMemRetainAllocationHandle(Vmm **handle, void *pointer) {
    BEGIN;
    pthread_mutex_lock(&lock);
    Block *b = find((uint64_t)(uintptr_t)pointer, 1);
    CUresult r = b && b->kind == MAPPED ? SUCCESS : INVALID_VALUE;
    if (!r) {
        *handle = b->vmm;
        b->vmm->references++;
        vmm_handles++;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* The device goes along as the file's position, which both descriptors share. */
/* Descriptors of one open file share its position, and one that was opened anew begins at 0: so a position tells them apart. */
enum { VMM_MARK = 4096 };

EXPORT CUresult cuMemExportToShareableHandle(int *out, Vmm *handle, int type, unsigned long long flags) {
    BEGIN;
    if (type != 1 || flags || !handle->exportable) return INVALID_VALUE;
    lseek(handle->fd, VMM_MARK + physical(handle->device), SEEK_SET);
    *out = fcntl(handle->fd, F_DUPFD_CLOEXEC, 3);
    return *out < 0 ? 999 : SUCCESS;
}

EXPORT CUresult cuMemImportFromShareableHandle(Vmm **handle, void *descriptor, int type) {
    BEGIN;
    struct stat is;
    char path[64], link[128] = {0};
    int fd = (int)(intptr_t)descriptor;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (type != 1 || fstat(fd, &is) || readlink(path, link, sizeof link - 1) < 0 || !strstr(link, "memfd:fake-cuda-vmm"))
        return INVALID_VALUE;
    off_t mark = lseek(fd, 0, SEEK_CUR);
    if (mark < VMM_MARK) return 999; /* opened anew by its path: a real driver's descriptor names no memory then */
    int device = virtual((int)(mark - VMM_MARK));
    if (device < 0) return INVALID_DEVICE;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    pthread_mutex_lock(&lock);
    *handle = new_vmm(copy, device, is.st_size, 1);
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

EXPORT CUresult cuMemAddressReserve(CUdeviceptr *address, size_t bytes, size_t alignment, CUdeviceptr wanted,
                                    unsigned long long flags) {
    BEGIN;
    (void)wanted;
    if (flags || alignment || !bytes || bytes % GRANULE) LOCKED(breach(INVALID_VALUE, "cuMemAddressReserve of %zu bytes", bytes));
    void *map = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return OUT_OF_MEMORY;
    Reservation *made = calloc(1, sizeof *made);
    made->address = (uint64_t)(uintptr_t)map | TAG;
    made->bytes = bytes;
    pthread_mutex_lock(&lock);
    made->next = reservations;
    reservations = made;
    *address = made->address;
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

EXPORT CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
    BEGIN;
    pthread_mutex_lock(&lock);
    CUresult r = -1;
    for (Block *b = blocks; b; b = b->next)
        if (b->kind == MAPPED && b->address >= address && b->address < address + bytes)
            r = breach(INVALID_VALUE, "cuMemAddressFree of a range that is mapped");
    for (Reservation **at = &reservations; r < 0 && *at; at = &(*at)->next)
        if ((*at)->address == address && (*at)->bytes == bytes) {
            Reservation *gone = *at;
            *at = gone->next;
            munmap(host_of(address), bytes);
            free(gone);
            r = SUCCESS;
            break;
        }
    if (r < 0) r = breach(INVALID_VALUE, "cuMemAddressFree of what was not reserved");
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset, Vmm *handle, unsigned long long flags) {
    BEGIN;
    pthread_mutex_lock(&lock);
    CUresult r = INVALID_VALUE;
    int inside = 0;
    for (Reservation *at = reservations; at; at = at->next)
        inside |= address >= at->address && address + bytes <= at->address + at->bytes;
    if (!inside || offset || flags || find(address, 1)) r = breach(INVALID_VALUE, "cuMemMap of a range that is not reserved or mapped");
    else if (bytes == handle->bytes &&
             mmap(host_of(address), bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, handle->fd, 0) != MAP_FAILED) {
        Block *b = calloc(1, sizeof *b);
        b->address = address;
        b->bytes = bytes;
        b->device = handle->device;
        b->kind = MAPPED;
        b->id = next_id++;
        b->vmm = handle;
        handle->references++;
        b->next = blocks;
        blocks = b;
        r = SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
    BEGIN;
    pthread_mutex_lock(&lock);
    CUresult r = -1;
    if (current) drain(current);
    for (Block **at = &blocks; *at; at = &(*at)->next) {
        Block *b = *at;
        if (b->kind == MAPPED && b->address == address && b->bytes == bytes) {
            *at = b->next;
            mmap(host_of(address), bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
            let_go(b->vmm);
            free(b);
            r = SUCCESS;
            break;
        }
    }
    if (r) r = breach(INVALID_VALUE, "cuMemUnmap of what is not mapped");
    pthread_mutex_unlock(&lock);
    return r;
}

typedef struct {
    int location_type, location_id, flags;
} AccessDesc;

EXPORT CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const AccessDesc *access, size_t count) {
    BEGIN;
    pthread_mutex_lock(&lock);
    CUresult r = SUCCESS;
    for (uint64_t at = address; at < address + bytes && !r;) {
        Block *b = find(at, 1);
        if (!b || b->kind != MAPPED) r = breach(INVALID_VALUE, "cuMemSetAccess of what is not mapped");
        for (size_t i = 0; i < count && !r; i++) {
            if (access[i].location_type != 1 || access[i].flags != 3) r = breach(INVALID_VALUE, "cuMemSetAccess by what, and how?");
            else if (access[i].location_id != b->device && no_peer) r = INVALID_DEVICE;
            else b->access |= 1u << access[i].location_id;
        }
        if (!r) at = b->address + b->bytes;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- kernels, as the .cu sources define them ---- */

typedef struct {
    uint32_t chunk_count, unused;
    struct {
        uint64_t items, source, destination;
        uint32_t first_block, item_count;
    } chunk[64];
} UnpackLaunch;

typedef struct {
    uint32_t source, length;
    uint64_t destination;
} UnpackItem;

/* Whether work of a context may touch a block: device memory of another GPU needs peer access, a mapping its own. */
static int is_reachable(const Context *from, const Block *b) {
    if (b->kind == MAPPED) return (b->access & 1u << from->device) != 0;
    return b->device < 0 || b->device == from->device || (from->peers & 1u << b->device);
}

/* Whether a context may touch all of a range: one allocation, or VMM mappings one behind the other. */
static int covers(const Context *from, uint64_t address, uint64_t bytes) {
    for (uint64_t at = address; at < address + bytes;) {
        Block *b = find(at, 1);
        if (!b || !is_reachable(from, b)) return 0;
        uint64_t end = b->address + b->bytes;
        if (end < address + bytes && b->kind != MAPPED) return 0;
        at = end;
    }
    return 1;
}

static _Thread_local Context *running; /* a kernel's */

/* Memory a kernel touches must be live and reachable when it runs; the bytes stay untouched otherwise. */
static void *touched(uint64_t address, uint64_t bytes) {
    pthread_mutex_lock(&lock);
    Block *b = bytes ? find(address, 1) : NULL;
    int live = covers(running, address, bytes);
    if (!live && b && !is_reachable(running, b)) breach(0, "a kernel of GPU %d touched memory of GPU %d that it cannot reach", running->device, b->device);
    else if (!live) breach(0, "a kernel touched %llu bytes at %#llx, outside live memory", (unsigned long long)bytes,
                      (unsigned long long)address);
    pthread_mutex_unlock(&lock);
    return live ? host_of(address) : NULL;
}

static void run_unpack(const UnpackLaunch *l, uint32_t blocks) {
    for (uint32_t c = 0; c < l->chunk_count; c++) {
        uint32_t count = l->chunk[c].item_count;
        uint32_t end = c + 1 < l->chunk_count ? l->chunk[c + 1].first_block : blocks;
        if ((uint64_t)(end - l->chunk[c].first_block) * 8 < count) {
            pthread_mutex_lock(&lock);
            breach(0, "an unpack of %u fragments has %u blocks of 8", count, end - l->chunk[c].first_block);
            pthread_mutex_unlock(&lock);
            continue;
        }
        const UnpackItem *items = touched(l->chunk[c].items, (uint64_t)count * sizeof *items);
        for (uint32_t i = 0; items && i < count; i++) {
            const void *from = touched(l->chunk[c].source + items[i].source, items[i].length);
            void *to = touched(l->chunk[c].destination + items[i].destination, items[i].length);
            if (from && to) memcpy(to, from, items[i].length);
        }
    }
}

typedef struct {
    uint64_t destination, source, length, unused;
} PieceItem;

/* ring, first, count, mask */
static void run_pieces(const uint64_t *p) {
    const PieceItem *ring = touched(p[0], (p[3] + 1) * sizeof *ring);
    for (uint64_t i = 0; ring && i < p[2]; i++) {
        const PieceItem *piece = &ring[(p[1] + i) & p[3]];
        const void *from = touched(piece->source, piece->length);
        void *to = touched(piece->destination, piece->length);
        if (piece->length >> 32) {
            pthread_mutex_lock(&lock);
            breach(0, "a piece of %llu bytes: the kernel's lengths have 32 bits", (unsigned long long)piece->length);
            pthread_mutex_unlock(&lock);
        } else if (from && to) memcpy(to, from, piece->length);
    }
}

typedef struct {
    uint64_t origin, table, skipped, count, block, start, unit, inner, row;
} MoveSide;

typedef struct {
    uint32_t move_count, unused;
    struct {
        MoveSide source, destination;
        uint64_t bytes, stretch;
        uint32_t first_warp, unused;
    } move[20];
} MoveLaunch;

/* Where the byte at an offset of a side's stream is, and how many of its piece are there; 0 bytes for none, which is a breach. */
static uint64_t place(const MoveSide *side, const void *table, uint64_t offset, uint64_t *bytes) {
    *bytes = 0;
    if (!side->block) {
        const uint64_t *addresses = table, *ends = addresses + side->count;
        uint64_t low = 0, high = side->count;
        while (low < high) { /* the first that ends behind it */
            uint64_t middle = (low + high) / 2;
            if (ends[middle] > offset) high = middle;
            else low = middle + 1;
        }
        uint64_t begin = low ? ends[low - 1] : side->start;
        if (low == side->count || offset < begin) return 0;
        *bytes = ends[low] - offset;
        return addresses[low] + offset - begin;
    }
    uint64_t piece = offset / side->block - side->skipped, within = offset % side->block;
    if (piece >= side->count) return 0;
    uint64_t number = table ? ((const uint32_t *)table)[piece] : piece;
    uint64_t row = side->inner ? number / side->inner : 0;
    *bytes = side->block - within;
    return side->start + row * side->row + (number - row * side->inner) * side->unit + within;
}

static const void *table_of(const MoveSide *side) {
    return side->table ? touched(side->table, side->count * (side->block ? 4 : 16)) : NULL;
}

static void run_lists(const MoveLaunch *l, uint32_t blocks, uint32_t threads) {
    uint32_t warps = blocks * (threads / 32);
    for (uint32_t m = 0; m < l->move_count; m++) {
        const MoveSide *from = &l->move[m].source, *to = &l->move[m].destination;
        uint64_t all = l->move[m].bytes, mine = (m + 1 < l->move_count ? l->move[m + 1].first_warp : warps) - l->move[m].first_warp;
        const void *from_table = table_of(from), *to_table = table_of(to);
        int good = (!from->table || from_table) && (!to->table || to_table);
        if (mine * l->move[m].stretch < all) {
            pthread_mutex_lock(&lock);
            breach(0, "a move of %llu bytes has %llu warps of %llu", (unsigned long long)all, (unsigned long long)mine,
                   (unsigned long long)l->move[m].stretch);
            pthread_mutex_unlock(&lock);
            good = 0;
        }
        for (uint64_t at = 0; good && at < all;) {
            uint64_t n, k;
            uint64_t source = place(from, from_table, from->origin + at, &n);
            uint64_t target = place(to, to_table, to->origin + at, &k);
            if (k < n) n = k;
            if (all - at < n) n = all - at;
            if (!n) {
                pthread_mutex_lock(&lock);
                breach(0, "a move of %llu bytes finds no piece at %llu", (unsigned long long)all, (unsigned long long)at);
                pthread_mutex_unlock(&lock);
                break;
            }
            const void *a = touched(source, n);
            void *b = touched(target, n);
            if (a && b) memcpy(b, a, n);
            at += n;
        }
    }
}

static uint8_t pattern(uint64_t first_word, uint64_t at, uint64_t seed) {
    uint64_t x = (first_word + at / 8 + seed) * 0x9E3779B97F4A7C15ull;
    return (uint8_t)((x ^ (x >> 29)) >> (8 * (at & 7)));
}

static void run_kernel(int kernel, uint32_t blocks, uint32_t threads, const unsigned char *parameters) {
    uint64_t p[5]; /* address, first word, bytes, seed, result */
    if (kernel == UNPACK) {
        run_unpack((const UnpackLaunch *)parameters, blocks);
        return;
    }
    if (kernel == LISTS) {
        if (!idle_lists) run_lists((const MoveLaunch *)parameters, blocks, threads);
        return;
    }
    memcpy(p, parameters, sizeof p);
    if (kernel == PIECES) {
        run_pieces(p);
        return;
    }
    uint8_t *bytes = touched(p[0], p[2]);
    if (kernel == FILL) {
        for (uint64_t i = 0; bytes && i < p[2]; i++) bytes[i] = pattern(p[1], i, p[3]);
    } else {
        uint64_t *result = touched(p[4], 8);
        for (uint64_t i = 0; bytes && result && i < p[2]; i++)
            if (bytes[i] != pattern(p[1], i, p[3])) {
                if (i < *result) *result = i;
                break;
            }
    }
}

/* ---- streams and events ---- */

static void *stream_thread(void *argument) {
    Stream *s = argument;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!s->first && !s->closing) pthread_cond_wait(&s->changed, &lock);
        Operation *o = s->first;
        if (!o) break;
        s->first = o->next;
        if (!s->first) s->last = NULL;
        s->busy = 1;
        int wait = o->kind == RECORD ? 0 : delay_us;
        pthread_mutex_unlock(&lock);
        if (wait) nanosleep(&(struct timespec){wait / 1000000, wait % 1000000 * 1000L}, NULL);
        if (o->kind == COPY) memcpy(o->to, o->from, o->bytes);
        else if (o->kind == LAUNCH) running = s->context, run_kernel(o->kernel, o->blocks, o->threads, o->parameters);
        pthread_mutex_lock(&lock);
        if (o->kind == RECORD) {
            o->event->reached++;
            if (o->event->destroyed && o->event->reached == o->event->recorded) free(o->event);
        }
        s->busy = 0;
        free(o);
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void drain_stream(Stream *s) {
    while (s->first || s->busy) pthread_cond_wait(&s->changed, &lock);
}

static void drain(Context *context) {
    for (Stream *s = streams; s; s = s->next)
        if (s->context == context) drain_stream(s);
}

static void put(Stream *s, Operation *o) {
    if (s->last) s->last->next = o;
    else s->first = o;
    s->last = o;
    pthread_cond_broadcast(&s->changed);
}

/* The stream, if it lives and is the current context's. With the lock held. */
static int is_usable(const char *call, Stream *stream, CUresult *result) {
    if (!is_current(call, result)) return 0;
    for (Stream *s = streams; s; s = s->next)
        if (s == stream) {
            if (s->context == current) return 1;
            *result = breach(INVALID_HANDLE, "%s on a stream of GPU %d while GPU %d is current", call,
                             s->context->device, current->device);
            return 0;
        }
    *result = breach(INVALID_HANDLE, "%s on a stream that does not exist", call);
    return 0;
}

EXPORT CUresult cuStreamCreate(Stream **stream, unsigned flags) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuStreamCreate", &r)) {
        if (flags != 1) r = breach(INVALID_VALUE, "a stream that waits for the default stream");
        else {
            Stream *s = calloc(1, sizeof *s);
            s->context = current;
            pthread_cond_init(&s->changed, NULL);
            s->next = streams;
            streams = s;
            live_streams++;
            pthread_create(&s->thread, NULL, stream_thread, s);
            *stream = s;
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuStreamQuery(Stream *stream) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_usable("cuStreamQuery", stream, &r)) r = stream->first || stream->busy ? NOT_READY : SUCCESS;
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuStreamDestroy_v2(Stream *stream) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    int usable = is_usable("cuStreamDestroy", stream, &r);
    if (usable) {
        for (Stream **at = &streams; *at; at = &(*at)->next)
            if (*at == stream) {
                *at = stream->next;
                break;
            }
        stream->closing = 1;
        live_streams--;
        pthread_cond_broadcast(&stream->changed);
    }
    pthread_mutex_unlock(&lock);
    if (!usable) return r;
    pthread_join(stream->thread, NULL);
    pthread_cond_destroy(&stream->changed);
    free(stream);
    return SUCCESS;
}

EXPORT CUresult cuEventCreate(Event **event, unsigned flags) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuEventCreate", &r)) {
        if (!(flags & 2)) r = breach(INVALID_VALUE, "an event with timing, which costs the stream time");
        else {
            Event *e = calloc(1, sizeof *e);
            e->context = current;
            *event = e;
            live_events++;
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuEventDestroy_v2(Event *event) {
    BEGIN;
    pthread_mutex_lock(&lock);
    CUresult r = SUCCESS;
    if (event->destroyed) r = breach(INVALID_HANDLE, "event destroyed twice");
    else {
        event->destroyed = 1;
        live_events--;
        if (event->reached == event->recorded) free(event);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuEventRecord(Event *event, Stream *stream) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_usable("cuEventRecord", stream, &r)) {
        if (event->context != stream->context) r = breach(INVALID_HANDLE, "event and stream are of two contexts");
        else {
            Operation *o = calloc(1, sizeof *o);
            o->kind = RECORD;
            o->event = event;
            event->recorded++;
            put(stream, o);
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuEventQuery(Event *event) {
    BEGIN;
    pthread_mutex_lock(&lock);
    queries++;
    CUresult r = event->destroyed ? breach(INVALID_HANDLE, "query of a destroyed event")
                                  : event->reached == event->recorded ? SUCCESS : NOT_READY;
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- copies ---- */

/* Whether [address, address + bytes) is live memory of the wanted side; device memory of another GPU needs peer access. */
static int lies(const char *call, const char *what, uint64_t address, uint64_t bytes, int pinned, CUresult *result) {
    Block *b = find(address, 1);
    if (!b || (b->device < 0) != pinned || (is_reachable(current, b) && !covers(current, address, bytes))) {
        *result = breach(INVALID_VALUE, "%s: %s of %llu bytes at %#llx is not inside one live %s allocation", call, what,
                         (unsigned long long)bytes, (unsigned long long)address, pinned ? "pinned" : "device");
        return 0;
    }
    if (!is_reachable(current, b)) {
        *result = breach(INVALID_VALUE, "%s: memory of GPU %d from GPU %d without peer access", call, b->device,
                         current->device);
        return 0;
    }
    return 1;
}

static CUresult copy(const char *call, uint64_t to, int to_pinned, uint64_t from, int from_pinned, uint64_t bytes,
                     Stream *stream) {
    CUresult r;
    if (!is_usable(call, stream, &r) || !lies(call, "destination", to, bytes, to_pinned, &r) ||
        !lies(call, "source", from, bytes, from_pinned, &r))
        return r;
    Operation *o = calloc(1, sizeof *o);
    o->kind = COPY;
    o->to = host_of(to);
    o->from = host_of(from);
    o->bytes = bytes;
    copies++;
    put(stream, o);
    return SUCCESS;
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, Stream *stream) {
    BEGIN;
    LOCKED(copy("cuMemcpyDtoHAsync", (uint64_t)(uintptr_t)to, 1, from, 0, bytes, stream));
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, Stream *stream) {
    BEGIN;
    LOCKED(copy("cuMemcpyHtoDAsync", to, 0, (uint64_t)(uintptr_t)from, 1, bytes, stream));
}

EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream *stream) {
    BEGIN;
    LOCKED(copy("cuMemcpyDtoDAsync", to, 0, from, 0, bytes, stream));
}

/* A copy from or to memory that is not pinned: done when it returns, after everything that the context has under way. */
static CUresult copy_now(const char *call, void *to, const void *from, uint64_t device, uint64_t bytes) {
    CUresult r;
    if (!is_current(call, &r)) return r;
    if (!covers(current, device, bytes)) return breach(INVALID_VALUE, "%s of what is no live device memory", call);
    drain(current);
    memcpy(to, from, bytes);
    copies++;
    return SUCCESS;
}

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
    BEGIN;
    LOCKED(copy_now("cuMemcpyHtoD", host_of(to), from, to, bytes));
}

EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
    BEGIN;
    LOCKED(copy_now("cuMemcpyDtoH", to, host_of(from), from, bytes));
}

EXPORT CUresult cuCtxSynchronize(void) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuCtxSynchronize", &r)) {
        drain(current);
        r = SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuMemcpyPeerAsync(CUdeviceptr to, Context *to_context, CUdeviceptr from, Context *from_context, size_t bytes,
                                  Stream *stream) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_usable("cuMemcpyPeerAsync", stream, &r)) {
        if (!covers(to_context, to, bytes) || !covers(from_context, from, bytes))
            r = breach(INVALID_VALUE, "cuMemcpyPeerAsync of memory that is not its context's");
        else {
            Operation *o = calloc(1, sizeof *o);
            o->kind = COPY;
            o->to = host_of(to);
            o->from = host_of(from);
            o->bytes = bytes;
            copies++;
            put(stream, o);
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- modules and launches ---- */

EXPORT CUresult cuModuleLoadData(Module **module, const void *image) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_current("cuModuleLoadData", &r)) {
        if (!strstr(image, ".version") || !strstr(image, ".target")) r = breach(INVALID_PTX, "a module that is no PTX");
        else {
            Module *m = calloc(1, sizeof *m);
            m->context = current;
            m->ptx = strdup(image);
            *module = m;
            live_modules++;
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuModuleUnload(Module *module) {
    BEGIN;
    pthread_mutex_lock(&lock);
    for (Function **at = &functions; *at;) {
        Function *f = *at;
        if (f->module == module) {
            *at = f->next;
            free(f);
        } else at = &f->next;
    }
    free(module->ptx);
    free(module);
    live_modules--;
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

EXPORT CUresult cuModuleGetFunction(Function **function, Module *module, const char *name) {
    BEGIN;
    char entry[128];
    snprintf(entry, sizeof entry, ".entry %s(", name);
    pthread_mutex_lock(&lock);
    CUresult r = NOT_FOUND;
    for (int k = 0; k < KERNELS; k++)
        if (!strcmp(KERNEL_NAMES[k], name) && strstr(module->ptx, entry)) {
            Function *f = calloc(1, sizeof *f);
            f->module = module;
            f->kernel = k;
            f->next = functions;
            functions = f;
            *function = f;
            r = SUCCESS;
        }
    pthread_mutex_unlock(&lock);
    return r;
}

EXPORT CUresult cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                               unsigned bz, unsigned shared, Stream *stream, void **parameters, void **extra) {
    BEGIN;
    CUresult r;
    pthread_mutex_lock(&lock);
    if (is_usable("cuLaunchKernel", stream, &r)) {
        uint64_t threads = (uint64_t)bx * by * bz;
        if (!gx || !gy || !gz || !threads || threads > 1024 || shared > 48 << 10 || extra || !parameters) {
            r = breach(INVALID_VALUE, "cuLaunchKernel with grid %u %u %u, block %u %u %u", gx, gy, gz, bx, by, bz);
        } else if (function->module->context != current) {
            r = breach(INVALID_HANDLE, "a kernel of another context");
        } else {
            Operation *o = calloc(1, sizeof *o);
            o->kind = LAUNCH;
            o->kernel = function->kernel;
            o->blocks = gx;
            o->threads = bx;
            /* parameters are read now, not when the kernel runs: by value as in CUDA */
            if (o->kernel == UNPACK) memcpy(o->parameters, parameters[0], sizeof(UnpackLaunch));
            else if (o->kernel == LISTS) memcpy(o->parameters, parameters[0], sizeof(MoveLaunch));
            else
                for (int i = 0; i < KERNEL_PARAMETERS[o->kernel]; i++) memcpy(o->parameters + 8 * i, parameters[i], 8);
            launches++;
            put(stream, o);
            r = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}
