/* late_bell SOCKET: who waits sleeps, even when the bell rings after what it rang for was taken. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "expect.h"
#include "sluice.h"

/* The client's bell: the eventfd that its epoll watches. */
static int bell_of(const sluice *s) {
    char path[100], line[200], target[100];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", sluice_fd(s));
    FILE *watched = fopen(path, "r");
    EXPECT(watched != NULL);
    int bell = -1, fd;
    while (fgets(line, sizeof line, watched) != NULL) {
        if (sscanf(line, "tfd: %d", &fd) == 1) {
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            ssize_t n = readlink(path, target, sizeof target - 1);
            EXPECT(n > 0);
            target[n] = 0;
            bell = strstr(target, "eventfd") != NULL ? fd : bell;
        }
    }
    fclose(watched);
    EXPECT(bell >= 0);
    return bell;
}

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    EXPECT(count == 2);
    sluice_options options = {.socket = arguments[1], .name = "late bell"};
    sluice *s;
    sluice_event event;
    EXPECT(sluice_open(&options, &s) == 0);
    int bell = bell_of(s);
    uint64_t one = 1;

    EXPECT(sluice_arm(s) == 0);
    EXPECT(write(bell, &one, sizeof one) == (ssize_t)sizeof one); /* in the daemon's place */
    double before = processor_seconds();
    EXPECT(sluice_await(s, &event, 1000) == 0);
    EXPECT(processor_seconds() - before < 0.3);

    EXPECT(sluice_arm(s) == 0);
    EXPECT(write(bell, &one, sizeof one) == (ssize_t)sizeof one);
    struct pollfd fd = {.fd = sluice_fd(s), .events = POLLIN};
    EXPECT(poll(&fd, 1, 0) == 1 && sluice_next(s, &event) == 0 && sluice_arm(s) == 0);
    EXPECT(poll(&fd, 1, 0) == 0);
    sluice_close(s);
    puts("ok");
    return 0;
}
