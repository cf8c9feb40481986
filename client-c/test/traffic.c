/*
 * traffic SOCKET_A SOCKET_B HOST:PORT_OF_B SECONDS [BYTES [survive]]: writes and reads between two daemons and compares every byte,
 * until the time is up. With 'survive' it comes back when a daemon is gone, with the same memory and keys, and prints "lost T" when it is
 * told and "back T" when the next round is compared, in ns of the monotonic clock. At its end it prints "rounds N returns N".
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sluice.h"

#define LIMIT 60000
#define UNDER_WAY 4

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(const char *what) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    printf("%s %lld\n", what, (long long)t.tv_sec * 1000000000 + t.tv_nsec);
    fflush(stdout);
}

static void die(const char *what, int status) {
    fprintf(stderr, "%s: %s (%d: %s)\n", what, sluice_error(), status, sluice_status_text(status));
    exit(1);
}

static void fill(unsigned char *data, uint64_t bytes, uint64_t seed) {
    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)(i * 7 + seed * 31 + (i >> 8));
    }
}

static sluice *a, *b;

static int is_loss(int status) { return status == SLUICE_LOST || status == SLUICE_LINK_LOST || status == SLUICE_REMOTE_REFUSED || status == SLUICE_NOT_FOUND; }

int main(int count, char **arguments) {
    if (count < 5) {
        fprintf(stderr, "usage: traffic SOCKET_A SOCKET_B HOST:PORT_OF_B SECONDS [BYTES [survive]]\n");
        return 2;
    }
    double end = now() + atof(arguments[4]);
    uint64_t bytes = count > 5 ? strtoull(arguments[5], NULL, 10) : 100000;
    int survive = count > 6;
    sluice_options at_a = {.socket = arguments[1], .name = "traffic"};
    sluice_options at_b = {.socket = arguments[2], .name = "traffic b"};
    int status = sluice_open(&at_a, &a);
    if (status == 0) {
        status = sluice_open(&at_b, &b);
    }
    sluice_memory *from = NULL, *to = NULL;
    sluice_link *l = NULL;
    sluice_remote there;
    if (status != 0 || (status = sluice_allocate(a, 0, bytes * UNDER_WAY, &from)) != 0 || (status = sluice_allocate(b, 0, bytes * UNDER_WAY, &to)) != 0
            || (status = sluice_connect(a, 0, 0, arguments[3], LIMIT, &l)) != 0 || (status = sluice_remote_of(to, &there)) != 0) {
        die("start", status);
    }
    puts("started");
    fflush(stdout);
    unsigned long rounds = 0, returns = 0;
    int away = 0;
    while (now() < end) {
        rounds++;
        fill(sluice_data(from), bytes * UNDER_WAY, rounds);
        sluice_request r[UNDER_WAY];
        int lost = 0;
        int posted = 0;
        for (; posted < UNDER_WAY && !lost; posted++) {
            status = sluice_write(l, from, (uint64_t)posted * bytes, bytes, &there, (uint64_t)posted * bytes, NULL, &r[posted]);
            if (status != 0) {
                lost = status;
                break;
            }
        }
        for (int i = 0; i < posted; i++) {
            status = sluice_wait(a, r[i], LIMIT, NULL);
            lost = status != 0 ? status : lost;
        }
        if (lost == 0) {
            if (memcmp(sluice_data(from), sluice_data(to), bytes * UNDER_WAY) != 0) {
                fprintf(stderr, "round %lu: wrong bytes\n", rounds);
                return 1;
            }
            if (away) {
                say("back");
                away = 0;
            }
            continue;
        }
        if (!survive || !is_loss(lost)) {
            die("transfer", lost);
        }
        returns++;
        if (!away) {
            say("lost");
            away = 1;
        }
        /* whichever daemon is gone: back to it, with the same keys; a link to a restarted daemon is made anew */
        double told = now();
        sluice_event e;
        while (sluice_await(b, &e, 0) == 1) {
            free(e.note);
        }
        if ((status = sluice_reopen(b, LIMIT)) != 0 || (status = sluice_reopen(a, LIMIT)) != 0) {
            die("reopen", status);
        }
        sluice_link *again = NULL;
        do {
            status = sluice_connect(a, 0, 0, arguments[3], LIMIT, &again);
            if (status == SLUICE_LOST) {
                status = sluice_reopen(a, LIMIT) == 0 ? SLUICE_LINK_LOST : status;
            }
        } while (status == SLUICE_LINK_LOST && now() < told + LIMIT / 1000.0 && nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL) == 0);
        if (status != 0) {
            die("link", status);
        }
        sluice_disconnect(l);
        l = again;
    }
    sluice_close(a);
    sluice_close(b);
    printf("rounds %lu returns %lu\n", rounds, returns);
    return 0;
}
