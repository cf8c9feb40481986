/*
 * What plain memcpy reaches between two blocks of shared memory: memcpy BYTES THREADS [SECONDS]; GB/s of the median round on stdout.
 * Each thread copies its own part, as large as the others'.
 *
 * gcc -O2 memcpy.c -o memcpy -lpthread
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { ROUNDS = 9 };
static char *from, *to;
static size_t part, times;
static pthread_barrier_t together;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *copy(void *number) {
    size_t at = (uintptr_t)number * part;
    for (int r = 0; r < ROUNDS + 2; r++) {
        pthread_barrier_wait(&together);
        for (size_t i = 0; i < times; i++) memcpy(to + at, from + at, part);
        pthread_barrier_wait(&together);
    }
    return NULL;
}

static int ascending(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

int main(int argc, char **argv) {
    size_t bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 64 << 20;
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    double seconds = argc > 3 ? atof(argv[3]) : 3, rates[ROUNDS];
    part = bytes / threads;
    from = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (from == MAP_FAILED || to == MAP_FAILED) return perror("mmap"), 1;
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    double begin = now();
    memcpy(to, from, bytes);
    times = 1 + (size_t)(seconds / (ROUNDS + 2) / (now() - begin) * threads);
    pthread_barrier_init(&together, NULL, threads + 1);
    for (int i = 0; i < threads; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, copy, (void *)(uintptr_t)i)) return perror("thread"), 1;
    }
    for (int r = 0; r < ROUNDS + 2; r++) {
        pthread_barrier_wait(&together);
        begin = now();
        pthread_barrier_wait(&together);
        if (r >= 2) rates[r - 2] = (double)part * threads * times / (now() - begin) / 1e9;
    }
    qsort(rates, ROUNDS, sizeof *rates, ascending);
    printf("%.3f\n", rates[ROUNDS / 2]);
    return 0;
}
