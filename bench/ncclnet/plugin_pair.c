// What plain C reaches over a NCCL net plugin with the channels, chunks and windows of Sluice's nccl-net transport: two processes,
// each one thread that turns all its channels, chunk i of a transfer on channel i mod CHANNELS, host memory, received bytes
// gathered from the bounce buffer where the plugin unpacks (API 7, as GPUDirect-TCPX). No verification.
//
//   plugin_pair PLUGIN CHANNELS TRANSFER_BYTES ITERATIONS [CHUNK_BYTES] [RECEIVE_WINDOW] [SEND_WINDOW]
//
// Prints one JSON line: time runs from the first post to the last byte gathered, the first iteration (warm-up) left out.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CHANNELS = 64, HANDLE = 128, RING = 16, HUGE_PAGE = 2 << 20 };

// ncclNet_v7_t
struct net {
    const char *name;
    int (*init)(void *);
    int (*devices)(int *);
    int (*properties)(int, void *);
    int (*listen)(int, void *, void **);
    int (*connect)(int, void *, void **, void **);
    int (*accept)(void *, void **, void **);
    int (*reg_mr)(void *, void *, int, int, void **);
    void *reg_mr_dma_buf;
    int (*dereg_mr)(void *, void *);
    int (*isend)(void *, void *, int, int, void *, void **);
    int (*irecv)(void *, int, void **, int *, int *, void **, void **);
    void *iflush;
    int (*test)(void *, int *, int *);
    int (*close_send)(void *);
    int (*close_recv)(void *);
    int (*close_listen)(void *);
    void *get_device_mr;
    int (*consumed)(void *, int, void *);
};

struct descriptor { uint32_t source, length; uint64_t destination; };
struct device_handle { int type, version; struct { void *meta; char *bounce; uint64_t head; } *handle; size_t size; int proxy; };

struct channel {
    void *comm, *mr, *ring[RING];
    struct device_handle device __attribute__((aligned(16)));
    long posted, done;
};

static struct net *net;
static struct channel channels[MAX_CHANNELS];
static int count, receive_window = 16, send_window = 12;
static size_t bytes, chunk = 512 << 10;
static char *block;

static void check(int result, const char *call) {
    if (result) {
        fprintf(stderr, "%s failed: %d\n", call, result);
        exit(1);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say_nothing(void) {}

static void load(const char *path) {
    void *lib = dlopen(path, RTLD_NOW);
    if (!lib || !(net = dlsym(lib, "ncclNetPlugin_v7"))) {
        fprintf(stderr, "%s: no API 7\n", path);
        exit(1);
    }
    check(net->init((void *)say_nothing), "init");
    block = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    block = (char *)(((uintptr_t)block + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    madvise(block, bytes, MADV_HUGEPAGE);
    memset(block, 1, bytes);
}

static size_t length(long i) {
    size_t at = (size_t)i * chunk;
    return bytes - at < chunk ? bytes - at : chunk;
}

static void gather(struct channel *c, void *request, char *to) {
    char *slot = (char *)request;
    struct descriptor *d;
    uint64_t *n;
    memcpy(&d, slot + 72, sizeof d);
    memcpy(&n, slot + 80, sizeof n);
    for (uint64_t i = 0; i < *n; i++)
        memcpy(to + d[i].destination, c->device.handle->bounce + d[i].source, d[i].length);
}

// One transfer: posts, tests and finishes until every chunk of this side is done.
static void transfer(int sending) {
    long chunks = (long)((bytes + chunk - 1) / chunk), left = chunks;
    int window = sending ? send_window : receive_window;
    for (int c = 0; c < count; c++) channels[c].posted = channels[c].done = 0;
    while (left) {
        int work = 0;
        for (int i = 0; i < count; i++) {
            struct channel *c = &channels[i];
            while (c->done < c->posted) {
                int done = 0, size = 0;
                void *request = c->ring[c->done % RING];
                check(net->test(request, &done, &size), "test");
                if (!done) break;
                if (!sending) {
                    if (c->device.handle) gather(c, request, block + (size_t)(i + c->done * count) * chunk);
                    if (net->consumed) check(net->consumed(c->comm, 1, request), "irecvConsumed");
                }
                c->done++;
                left--;
                work++;
            }
            while (c->posted - c->done < window && i + c->posted * count < chunks) {
                long k = i + c->posted * count;
                void *request = NULL, *data = block + (size_t)k * chunk;
                int size = (int)length(k), tag = 0;
                check(sending ? net->isend(c->comm, data, size, tag, c->mr, &request)
                              : net->irecv(c->comm, 1, &data, &size, &tag, &c->mr, &request), "post");
                if (!request) break;
                c->ring[c->posted++ % RING] = request;
                work++;
            }
        }
        if (!work) sched_yield(); // as the engine does with so few CPUs
    }
}

static void whole(int fd, void *data, size_t n, int writing) {
    for (size_t at = 0; at < n;) {
        ssize_t k = writing ? write(fd, (char *)data + at, n - at) : read(fd, (char *)data + at, n - at);
        if (k <= 0) exit(1);
        at += (size_t)k;
    }
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: %s PLUGIN CHANNELS TRANSFER_BYTES ITERATIONS [CHUNK] [RECEIVE_WINDOW] [SEND_WINDOW]\n", *argv);
        return 2;
    }
    count = atoi(argv[2]);
    bytes = strtoull(argv[3], NULL, 10);
    int iterations = atoi(argv[4]);
    if (argc > 5) chunk = strtoull(argv[5], NULL, 10);
    if (argc > 6) receive_window = atoi(argv[6]);
    if (argc > 7) send_window = atoi(argv[7]);
    char text[32];
    snprintf(text, sizeof text, "%zu", chunk);
    setenv("NCCL_DYNAMIC_CHUNK_SIZE", text, 0);
    int handles[2], ready[2];
    if (pipe(handles) || pipe(ready)) return 1;
    pid_t sender = fork();
    load(argv[1]);
    int devices;
    check(net->devices(&devices), "devices");
    static char handle[MAX_CHANNELS][HANDLE] __attribute__((aligned(16)));
    char go = 1;
    if (!sender) {
        whole(handles[0], handle, sizeof handle, 0);
        for (int left = count; left;) {
            left = 0;
            for (int i = 0; i < count; i++) {
                void *none = NULL;
                if (!channels[i].comm) check(net->connect(i % devices, handle[i], &channels[i].comm, &none), "connect");
                left += !channels[i].comm;
            }
            usleep(1000);
        }
        for (int i = 0; i < count; i++)
            check(net->reg_mr(channels[i].comm, block, (int)bytes, 1, &channels[i].mr), "regMr");
        for (int i = 0; i < iterations; i++) {
            whole(ready[0], &go, 1, 0);
            transfer(1);
        }
        _exit(0);
    }
    void *listening[MAX_CHANNELS];
    for (int i = 0; i < count; i++) check(net->listen(i % devices, handle[i], &listening[i]), "listen");
    whole(handles[1], handle, sizeof handle, 1);
    for (int left = count; left;) {
        left = 0;
        for (int i = 0; i < count; i++) {
            void *device = &channels[i].device;
            if (!channels[i].comm) check(net->accept(listening[i], &channels[i].comm, &device), "accept");
            left += !channels[i].comm;
        }
        usleep(1000);
    }
    for (int i = 0; i < count; i++)
        check(net->reg_mr(channels[i].comm, block, (int)bytes, 1, &channels[i].mr), "regMr");
    double spent = 0;
    for (int i = 0; i < iterations; i++) {
        double start = now();
        whole(ready[1], &go, 1, 1);
        transfer(0);
        if (i > 0) spent += now() - start;
    }
    double moved = (double)bytes * (iterations - 1);
    printf("{\"channels\":%d,\"transferBytes\":%zu,\"chunkBytes\":%zu,\"iterations\":%d,\"seconds\":%.6f,\"gbPerSecond\":%.3f}\n",
           count, bytes, chunk, iterations - 1, spent, moved / spent / 1e9);
    waitpid(sender, NULL, 0);
    return 0;
}
