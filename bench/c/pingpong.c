// A blocking ping-pong over one TCP connection of two processes on this host, TCP_NODELAY: what a message costs where nothing else is done.
//   pingpong BYTES ROUNDS          prints one JSON line: p50 and p99 of half a round trip, us
//   pingpong eventfd ROUNDS        the same over two eventfds: one wake-up
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void all(int fd, char *bytes, size_t length, int sends) {
    for (size_t at = 0; at < length;) {
        ssize_t n = sends ? send(fd, bytes + at, length - at, 0) : recv(fd, bytes + at, length - at, 0);
        if (n <= 0) _exit(1);
        at += (size_t)n;
    }
}

static void word(int fd, int sends) {
    uint64_t one = 1;
    if ((sends ? write(fd, &one, sizeof one) : read(fd, &one, sizeof one)) != sizeof one) _exit(1);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int events = argc > 1 && strcmp(argv[1], "eventfd") == 0, ping = eventfd(0, 0), pong = eventfd(0, 0);
    size_t length = argc > 1 && !events ? strtoul(argv[1], NULL, 10) : 8;
    int rounds = argc > 2 ? atoi(argv[2]) : 20000, one = 1;
    char *bytes = calloc(1, length);
    double *us = malloc(sizeof *us * (size_t)rounds);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (!bytes || !us || bind(listener, (struct sockaddr *)&at, size) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&at, &size)) {
        perror("pingpong");
        return 1;
    }
    pid_t peer = fork();
    int fd = peer ? socket(AF_INET, SOCK_STREAM, 0) : accept(listener, NULL, NULL);
    if (fd < 0 || (peer && connect(fd, (struct sockaddr *)&at, size)) || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) {
        perror("pingpong");
        return 1;
    }
    for (int i = -rounds / 10; i < rounds; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int step = 0; step < 2; step++) {
            int sends = (step == 0) == (peer != 0);
            if (events) word(step == 0 ? ping : pong, sends);
            else all(fd, bytes, length, sends);
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        if (i >= 0) us[i] = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 2e3;
    }
    if (peer) {
        qsort(us, (size_t)rounds, sizeof *us, by_value);
        printf("{\"bytes\":%zu,\"p50_us\":%.2f,\"p99_us\":%.2f}\n", length, us[rounds / 2], us[rounds - 1 - rounds / 100]);
        close(fd);
        waitpid(peer, NULL, 0);
    }
    return 0;
}
