// What plain C reaches over a NCCL net plugin with the channels, chunks and windows of Sluice's nccl-net transport: two processes,
// each one thread that turns all its channels, chunk i of a transfer on channel i mod CHANNELS, host memory, received bytes
// gathered from the bounce buffer where the plugin unpacks (API 7, as GPUDirect-TCPX; API 6 where there is no 7). No verification.
//
//   plugin_pair PLUGIN CHANNELS TRANSFER_BYTES ITERATIONS [CHUNK_BYTES] [TRANSFERS_UNDER_WAY] [RECEIVE_WINDOW] [SEND_WINDOW]
//
// A transfer begins when the one TRANSFERS_UNDER_WAY before it has landed, of which the receiver tells the sender by a byte in a
// pipe; 3, as `sluice loopback` has them. With 1 each transfer drains what the plugin holds between the two sides.
// Prints one JSON line: time runs from the end of the first transfer (warm-up) to that of the last.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
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

// ncclNet_v7_t; ncclNet_v6_t ends before get_device_mr, and its connect and accept have one argument less, which C does not mind
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
static int api;
static struct channel channels[MAX_CHANNELS];
static int count, receive_window = 16, send_window = 12;
static long chunks, iterations, under_way = 3; // chunks of a transfer, transfers, transfers that may be begun and not landed
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
    if (lib && (net = dlsym(lib, "ncclNetPlugin_v7"))) api = 7;
    else if (lib && (net = dlsym(lib, "ncclNetPlugin_v6"))) api = 6;
    if (!api) {
        fprintf(stderr, "%s: no API 6 or 7\n", path);
        exit(1);
    }
    check(net->init((void *)say_nothing), "init");
    block = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    block = (char *)(((uintptr_t)block + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    madvise(block, bytes, MADV_HUGEPAGE);
    memset(block, 1, bytes);
}

// The chunk that a channel's n-th request carries: the rule of round-robin, which begins each transfer on channel 0.
static long number_of(int channel, long n, long *transfer) {
    long each = (chunks - channel + count - 1) / count; // of a transfer on this channel
    *transfer = n / each;
    return channel + n % each * count;
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

// How many transfers have landed, as the receiver's bytes in the pipe say.
static long landed(int pipe) {
    static long known;
    char bytes_of[64];
    for (ssize_t n; (n = read(pipe, bytes_of, sizeof bytes_of)) != 0;) {
        if (n < 0) {
            if (errno == EAGAIN) break;
            exit(1);
        }
        known += n;
    }
    return known;
}

// Whether every channel has done its chunks of this transfer.
static int all_have_passed(long transfer) {
    for (int i = 0; i < count && i < chunks; i++) {
        long t;
        number_of(i, channels[i].done, &t);
        if (t <= transfer) return 0;
    }
    return 1;
}

// All transfers: posts, tests and finishes until every chunk of this side is done. Returns the seconds after the first.
static double transfer(int sending, int pipe) {
    int window = sending ? send_window : receive_window;
    long left = chunks * iterations, over = 0;
    double start = 0;
    while (left) {
        int work = 0;
        for (int i = 0; i < count && i < chunks; i++) {
            struct channel *c = &channels[i];
            long t, k;
            while (c->done < c->posted) {
                int done = 0, size = 0;
                void *request = c->ring[c->done % RING];
                check(net->test(request, &done, &size), "test");
                if (!done) break;
                if (!sending) {
                    k = number_of(i, c->done, &t);
                    if (c->device.handle) gather(c, request, block + (size_t)k * chunk);
                    if (api == 7 && net->consumed) check(net->consumed(c->comm, 1, request), "irecvConsumed");
                }
                c->done++;
                left--;
                work++;
            }
            while (c->posted - c->done < window) {
                k = number_of(i, c->posted, &t);
                if (t >= over + under_way || t >= iterations) break;
                void *request = NULL, *data = block + (size_t)k * chunk;
                int size = (int)length(k), tag = 0;
                check(sending ? net->isend(c->comm, data, size, tag, c->mr, &request)
                              : net->irecv(c->comm, 1, &data, &size, &tag, &c->mr, &request), "post");
                if (!request) break;
                c->ring[c->posted++ % RING] = request;
                work++;
            }
        }
        while (!sending && over < iterations && all_have_passed(over)) {
            if (over++ == 0) start = now();
            if (write(pipe, "", 1) != 1) exit(1);
        }
        if (!work) {
            if (sending) over = landed(pipe);
            sched_yield(); // as the engine does with so few CPUs
        }
    }
    return now() - start;
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
        fprintf(stderr, "usage: %s PLUGIN CHANNELS TRANSFER_BYTES ITERATIONS [CHUNK] [UNDER_WAY] [RECEIVE_WINDOW] [SEND_WINDOW]\n", *argv);
        return 2;
    }
    count = atoi(argv[2]);
    bytes = strtoull(argv[3], NULL, 10);
    iterations = atol(argv[4]);
    if (argc > 5) chunk = strtoull(argv[5], NULL, 10);
    if (argc > 6) under_way = atol(argv[6]);
    if (argc > 7) receive_window = atoi(argv[7]);
    if (argc > 8) send_window = atoi(argv[8]);
    chunks = (long)((bytes + chunk - 1) / chunk);
    char text[32];
    snprintf(text, sizeof text, "%zu", chunk);
    setenv("NCCL_DYNAMIC_CHUNK_SIZE", text, 0);
    int handles[2], ready[2];
    if (pipe(handles) || pipe2(ready, O_NONBLOCK)) return 1;
    pid_t sender = fork();
    load(argv[1]);
    int devices;
    check(net->devices(&devices), "devices");
    static char handle[MAX_CHANNELS][HANDLE] __attribute__((aligned(16)));
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
        close(ready[1]); // or its own end would hide the receiver's
        transfer(1, ready[0]);
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
    double spent = transfer(0, ready[1]);
    double moved = (double)bytes * (double)(iterations - 1);
    printf("{\"channels\":%d,\"transferBytes\":%zu,\"chunkBytes\":%zu,\"underWay\":%ld,\"iterations\":%ld,\"seconds\":%.6f,"
           "\"gbPerSecond\":%.3f}\n",
           count, bytes, chunk, under_way, iterations - 1, spent, moved / spent / 1e9);
    waitpid(sender, NULL, 0);
    return 0;
}
