// What plain C reaches with the sockets, chunks, memory and transfers of Sluice's tcp transport, for comparison: two processes,
// one connection per channel over 127.0.0.1 to 127.0.0.4 in turn, one blocking thread per connection and side, chunk i of a
// transfer on channel i mod CHANNELS, straight from and into one mapped block per side. The receiver acknowledges each whole
// transfer; the sender keeps UNDERWAY of them under way. No framing, no checks, no verification.
//
//   stripe CHANNELS TRANSFER_BYTES SECONDS [CHUNK_BYTES] [UNDERWAY]
//
// Prints one JSON line: time runs from the first byte sent to the last byte landed, GB are 10^9 bytes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CHANNELS = 64, LOOPBACK_RAILS = 4, MAX_UNDERWAY = 64, HUGE_PAGE = 2 << 20 };

struct times {
    double started, ended;
};

struct channel {
    pthread_t thread;
    int fd;
    int number;
};

static int channels, underway = 2, control;
static size_t transfer_bytes, chunk_bytes = 512 << 10;
static double seconds;
static char *block;
static struct times *times;  // shared by both processes
static struct channel channel[MAX_CHANNELS];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static size_t chunk_at(size_t offset)
{
    size_t left = transfer_bytes - offset;
    return left < chunk_bytes ? left : chunk_bytes;
}

// as Sluice's host GPUs: huge pages where the kernel has them, every page touched
static char *map_block(int fill)
{
    char *at = mmap(NULL, transfer_bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        die("mmap");
    at = (char *)(((unsigned long)at + HUGE_PAGE - 1) & -(unsigned long)HUGE_PAGE);
    madvise(at, transfer_bytes, MADV_HUGEPAGE);
    memset(at, fill, transfer_bytes);
    return at;
}

// --- sender

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t allowed_changed = PTHREAD_COND_INITIALIZER;
static long allowed;
static int last_known;

// whether transfer t is to be sent; waits until that is known
static int may_send(long t)
{
    pthread_mutex_lock(&lock);
    while (t >= allowed && !last_known)
        pthread_cond_wait(&allowed_changed, &lock);
    int may = t < allowed;
    pthread_mutex_unlock(&lock);
    return may;
}

static void *send_all(void *arg)
{
    struct channel *c = arg;
    for (long t = 0; may_send(t); t++) {
        for (size_t at = c->number * chunk_bytes; at < transfer_bytes; at += channels * chunk_bytes) {
            size_t bytes = chunk_at(at);
            for (size_t sent = 0; sent < bytes;) {
                ssize_t n = send(c->fd, block + at + sent, bytes - sent, MSG_NOSIGNAL);
                if (n < 0 && errno != EINTR)
                    die("send");
                sent += n > 0 ? n : 0;
            }
        }
    }
    shutdown(c->fd, SHUT_WR);
    return NULL;
}

// each acknowledgement lets one more transfer begin, until the time is over
static void pace(void)
{
    double end = now() + seconds;
    char acks[64];
    for (long acked = 0; !last_known || acked < allowed;) {
        ssize_t n = recv(control, acks, sizeof acks, 0);
        if (n <= 0)
            die("control connection");
        acked += n;
        pthread_mutex_lock(&lock);
        if (now() < end)
            allowed += n;
        else
            last_known = 1;
        pthread_cond_broadcast(&allowed_changed);
        pthread_mutex_unlock(&lock);
    }
}

// --- receiver

static atomic_int arrived[MAX_UNDERWAY + 1];
static atomic_long transfers;

static void *receive_all(void *arg)
{
    struct channel *c = arg;
    for (long t = 0;; t++) {
        for (size_t at = c->number * chunk_bytes; at < transfer_bytes; at += channels * chunk_bytes) {
            size_t bytes = chunk_at(at);
            for (size_t got = 0; got < bytes;) {
                ssize_t n = recv(c->fd, block + at + got, bytes - got, MSG_WAITALL);
                if (n == 0)
                    return NULL;
                if (n < 0 && errno != EINTR)
                    die("recv");
                got += n > 0 ? n : 0;
            }
        }
        atomic_int *count = &arrived[t % (underway + 1)];
        if (atomic_fetch_add(count, 1) + 1 == channels) {
            atomic_store(count, 0);
            atomic_fetch_add(&transfers, 1);
            times->ended = now();
            if (send(control, "", 1, MSG_NOSIGNAL) != 1)
                die("acknowledge");
        }
    }
}

// ---

static int connection(int rail)
{
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK + rail);
    if (s < 0 || setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) ||
        setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4))  // as Sluice within one host
        die("socket");
    if (bind(s, (struct sockaddr *)&any, sizeof any))
        die("bind");
    return s;
}

static void run(int sends)
{
    block = map_block(sends ? 1 : 2);
    for (int i = 0; i < channels; i++)
        if (pthread_create(&channel[i].thread, NULL, sends ? send_all : receive_all, &channel[i]))
            die("pthread_create");
}

int main(int argc, char **argv)
{
    if (argc < 4 || (channels = atoi(argv[1])) < 1 || channels > MAX_CHANNELS || (transfer_bytes = atol(argv[2])) < 1 ||
        (seconds = atof(argv[3])) <= 0 || (argc > 4 && (chunk_bytes = atol(argv[4])) < 1) ||
        (argc > 5 && ((underway = atoi(argv[5])) < 1 || underway > MAX_UNDERWAY))) {
        fprintf(stderr, "usage: stripe CHANNELS TRANSFER_BYTES SECONDS [CHUNK_BYTES] [UNDERWAY]\n");
        return 2;
    }
    times = mmap(NULL, sizeof *times, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    int listener[MAX_CHANNELS + 1];
    struct sockaddr_in at[MAX_CHANNELS + 1];
    for (int i = 0; i <= channels; i++) {
        socklen_t length = sizeof at[i];
        listener[i] = connection(i % LOOPBACK_RAILS);
        if (listen(listener[i], 1) || getsockname(listener[i], (struct sockaddr *)&at[i], &length))
            die("listen");
    }
    pid_t sender = fork();
    if (sender < 0)
        die("fork");
    if (sender == 0) {
        for (int i = 0; i <= channels; i++) {
            int s = connection(i % LOOPBACK_RAILS);
            if (connect(s, (struct sockaddr *)&at[i], sizeof at[i]))
                die("connect");
            if (i < channels)
                channel[i] = (struct channel){.fd = s, .number = i};
            else
                control = s;
        }
        char ready;
        run(1);
        if (recv(control, &ready, 1, 0) != 1)  // the receiver's memory is there too
            die("ready");
        times->started = now();
        pthread_mutex_lock(&lock);
        allowed = underway;
        pthread_cond_broadcast(&allowed_changed);
        pthread_mutex_unlock(&lock);
        pace();
        for (int i = 0; i < channels; i++)
            pthread_join(channel[i].thread, NULL);
        return 0;
    }
    for (int i = 0; i <= channels; i++) {
        int one = 1, s = accept(listener[i], NULL, NULL);
        if (s < 0)
            die("accept");
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (i < channels)
            channel[i] = (struct channel){.fd = s, .number = i};
        else
            control = s;
    }
    run(0);
    if (send(control, "", 1, MSG_NOSIGNAL) != 1)
        die("ready");
    for (int i = 0; i < channels; i++)
        pthread_join(channel[i].thread, NULL);
    int status;
    if (waitpid(sender, &status, 0) != sender || status != 0)
        return 1;
    double bytes = (double)transfers * transfer_bytes, took = times->ended - times->started;
    printf("{\"channels\": %d, \"size\": %zu, \"transfers\": %ld, \"bytes\": %.0f, \"seconds\": %.6f, \"gbPerSecond\": %.4f}\n",
           channels, transfer_bytes, (long)transfers, bytes, took, bytes / took / 1e9);
    return 0;
}
