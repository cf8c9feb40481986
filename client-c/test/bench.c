/*
 * bench SOCKET_A SOCKET_B HOST:PORT_OF_B BYTES UNDER_WAY SECONDS [poll]: writes from a client of A to one of B.
 * Prints one line of JSON: transfers, bytes a second, latencies in microseconds. With 'poll' it looks for ends instead of sleeping.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sluice.h"

#define LIMIT 60000

static void die(const char *what, int status) {
    fprintf(stderr, "%s: %s (%d: %s)\n", what, sluice_error(), status, sluice_status_text(status));
    exit(1);
}

#define OK(call)              \
    do {                      \
        int status_ = (call); \
        if (status_ < 0) {    \
            die(#call, status_); \
        }                     \
    } while (0)

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments) {
    if (count < 7) {
        fprintf(stderr, "usage: bench SOCKET_A SOCKET_B HOST:PORT_OF_B BYTES UNDER_WAY SECONDS [poll]\n");
        return 2;
    }
    uint64_t bytes = strtoull(arguments[4], NULL, 10);
    uint32_t under_way = (uint32_t)atoi(arguments[5]);
    double seconds = atof(arguments[6]);
    int polls = count > 7;
    sluice *a, *b;
    sluice_memory *from, *to;
    sluice_link *l;
    sluice_remote there;
    sluice_options at_a = {.socket = arguments[1], .name = "bench"}, at_b = {.socket = arguments[2], .name = "bench b"};
    OK(sluice_open(&at_a, &a));
    OK(sluice_open(&at_b, &b));
    OK(sluice_allocate(a, 0, bytes, &from));
    OK(sluice_allocate(b, 0, bytes, &to));
    memset(sluice_data(from), 3, bytes);
    memset(sluice_data(to), 4, bytes);
    OK(sluice_connect(a, 0, 0, arguments[3], LIMIT, &l));
    OK(sluice_remote_of(to, &there));

    size_t room = 1 << 16, ended = 0;
    double *took = malloc(room * sizeof *took);
    double *begun = calloc(under_way, sizeof *begun);
    uint32_t *idle = calloc(under_way, sizeof *idle);
    uint32_t idle_count = under_way;
    for (uint32_t i = 0; i < under_way; i++) {
        idle[i] = i;
    }
    double warm = now() + seconds / 4, start = 0, end = warm + seconds;
    uint64_t posted = 0, measured = 0;
    uint32_t out = 0;
    while (now() < end || out > 0) {
        while (idle_count > 0 && now() < end) {
            uint32_t slot = idle[--idle_count];
            sluice_extra extra = {.flags = SLUICE_AS_EVENT, .tag = slot};
            begun[slot] = now();
            int status = sluice_write(l, from, 0, bytes, &there, 0, &extra, NULL);
            if (status == SLUICE_AGAIN) {
                idle[idle_count++] = slot;
                break;
            }
            OK(status);
            posted++;
            out++;
        }
        sluice_event e;
        int n = polls ? sluice_next(a, &e) : sluice_await(a, &e, LIMIT);
        for (; n == 1; n = sluice_next(a, &e)) {
            if (e.kind != SLUICE_EVENT_ENDED || e.result.status != 0) {
                die(e.result.why, e.result.status);
            }
            double t = now();
            out--;
            idle[idle_count++] = (uint32_t)e.tag;
            if (t < warm) {
                continue;
            }
            if (start == 0) {
                start = t;
                continue;
            }
            measured++;
            if (ended == room) {
                room *= 2;
                took = realloc(took, room * sizeof *took);
            }
            took[ended++] = (t - begun[e.tag]) * 1e6;
        }
        OK(n);
    }
    double lasted = now() - start;
    if (memcmp(sluice_data(from), sluice_data(to), bytes) != 0) {
        fprintf(stderr, "wrong bytes\n");
        return 1;
    }
    qsort(took, ended, sizeof *took, by_size);
    printf("{\"bytes\":%llu,\"underWay\":%u,\"transfers\":%llu,\"bytesPerSecond\":%.0f,\"transfersPerSecond\":%.0f,\"p50us\":%.1f,\"p99us\":%.1f}\n",
            (unsigned long long)bytes, under_way, (unsigned long long)posted, (double)measured * (double)bytes / lasted, (double)measured / lasted,
            ended ? took[ended / 2] : 0, ended ? took[ended * 99 / 100] : 0);
    sluice_disconnect(l);
    sluice_close(a);
    sluice_close(b);
    return 0;
}
