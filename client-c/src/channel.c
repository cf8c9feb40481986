/* The socket to the daemon and the area that is shared with it. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "internal.h"

typedef struct head {
    uint32_t bytes;
    uint16_t type, zero;
    uint64_t number;
} head;

typedef struct hello {
    uint64_t magic;
    uint16_t lowest, highest;
    uint32_t flags;
    sluice_key mailbox;
    uint32_t pid, entries, list_bytes, text_bytes;
    char name[64];
} hello;

typedef struct welcome {
    uint64_t magic;
    uint16_t version, serves;
    uint32_t gpus;
    uint64_t epoch, area_bytes;
    uint32_t entries, completion_entries, submissions, completions, texts, text_bytes, lists, list_bytes;
    uint64_t most_memory;
    uint32_t most_memories, most_links, most_pieces, most_note;
} welcome;
_Static_assert(sizeof(welcome) == 88, "WELCOME has 88 bytes");

#define MOST_FDS 8

static int send_all(int socket, const void *bytes, size_t length, const int *fds, uint32_t fd_count) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(MOST_SENT * sizeof(int))];
    } control;
    const char *at = bytes;
    while (length > 0) {
        struct iovec vector = {(void *)(uintptr_t)at, length};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        if (fd_count > 0) {
            memset(&control, 0, sizeof control);
            message.msg_control = &control;
            message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
            struct cmsghdr *c = CMSG_FIRSTHDR(&message);
            c->cmsg_level = SOL_SOCKET;
            c->cmsg_type = SCM_RIGHTS;
            c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
            memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
        }
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        fd_count = 0;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Exactly so many bytes; descriptors that come with them are appended to fds. */
static int receive_all(int socket, void *bytes, size_t length, int *fds, int *fd_count) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
    } control;
    char *at = bytes;
    while (length > 0) {
        struct iovec vector = {at, length};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
        ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++) {
                    int fd;
                    memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                    if (*fd_count < MOST_FDS) {
                        fds[(*fd_count)++] = fd;
                    } else {
                        close(fd);
                    }
                }
            }
        }
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

static void close_all(const int *fds, int count) {
    for (int i = 0; i < count; i++) {
        close(fds[i]);
    }
}

static int send_message(
        int socket, uint16_t type, uint64_t number, const void *payload, uint32_t bytes, const int *fds, uint32_t fd_count) {
    char small[4096];
    char *message = bytes + sizeof(head) <= sizeof small ? small : malloc(bytes + sizeof(head));
    if (message == NULL) {
        errno = ENOMEM;
        return -1;
    }
    head h = {bytes, type, 0, number};
    memcpy(message, &h, sizeof h);
    if (bytes > 0) {
        memcpy(message + sizeof h, payload, bytes);
    }
    int result = send_all(socket, message, sizeof h + bytes, fds, fd_count);
    if (message != small) {
        free(message);
    }
    return result;
}

/* The answer to a request, others (bells) left out. Its payload is put in a buffer of MOST_PAYLOAD + 1 bytes. */
static int receive_answer(int socket, uint64_t number, head *h, char *payload, int *fds, int *fd_count) {
    do {
        if (receive_all(socket, h, sizeof *h, fds, fd_count) < 0 || h->bytes > MOST_PAYLOAD
                || receive_all(socket, payload, h->bytes, fds, fd_count) < 0) {
            return sluice_fail(SLUICE_LOST, "the daemon is gone");
        }
        payload[h->bytes] = 0;
    } while (h->type == BELL || (h->number != number && h->type != FAILED));
    if (h->type == FAILED) {
        uint32_t status = SLUICE_INTERNAL;
        if (h->bytes >= 8) {
            memcpy(&status, payload, sizeof status);
        }
        return sluice_fail(status >= 1 && status <= 15 ? -(int)status : SLUICE_INTERNAL, "%s", h->bytes >= 8 ? payload + 8 : "no reason given");
    }
    return 0;
}

int channel_ask(sluice *s, uint16_t type, const void *payload, uint32_t bytes, int fd, void *answer, uint32_t *answer_bytes) {
    return channel_ask_with(s, type, payload, bytes, &fd, fd >= 0 ? 1 : 0, answer, answer_bytes);
}

int channel_ask_with(sluice *s, uint16_t type, const void *payload, uint32_t bytes, const int *sent, uint32_t sent_count, void *answer,
        uint32_t *answer_bytes) {
    if (s->pid != getpid()) {
        return sluice_fail(SLUICE_INVALID, "this connection belongs to the process that opened it; open another after fork()");
    }
    if (atomic_load(&s->lost)) {
        return sluice_fail(SLUICE_LOST, "the daemon is gone; sluice_reopen() finds the next one");
    }
    char *buffer = malloc(MOST_PAYLOAD + 1);
    if (buffer == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    int fds[MOST_FDS];
    int fd_count = 0;
    head h = {0, 0, 0, 0};
    uint64_t number = ++s->control_number;
    int result;
    if (send_message(s->c.socket, type, number, payload, bytes, sent, sent_count) < 0) {
        result = sluice_fail(SLUICE_LOST, "the daemon is gone: %s", strerror(errno));
    } else {
        result = receive_answer(s->c.socket, number, &h, buffer, fds, &fd_count);
    }
    close_all(fds, fd_count);
    if (result == SLUICE_LOST) {
        pthread_mutex_lock(&s->ends);
        ends_lose(s);
        pthread_mutex_unlock(&s->ends);
    }
    if (result == 0 && answer_bytes != NULL) {
        uint32_t room = *answer_bytes;
        *answer_bytes = h.bytes;
        if (answer != NULL && room > 0) {
            memset(answer, 0, room);
            memcpy(answer, buffer, h.bytes < room ? h.bytes : room);
        }
    }
    free(buffer);
    return result;
}

int channel_ask_named(
        sluice *s, uint16_t type, uint32_t first, uint32_t second, const char *name, void *answer, uint32_t *answer_bytes) {
    char ask[8 + 1000];
    size_t length = name != NULL ? strlen(name) : 0;
    if (length == 0 || length > 1000) {
        return sluice_fail(SLUICE_INVALID, "a name has 1 to 1000 bytes");
    }
    memcpy(ask, &first, 4);
    memcpy(ask + 4, &second, 4);
    memcpy(ask + 8, name, length);
    return channel_ask(s, type, ask, (uint32_t)(8 + length), -1, answer, answer_bytes);
}

bool channel_ended(sluice *s) {
    char byte;
    ssize_t n = recv(s->c.socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int greet(sluice *s, connection *c) {
    hello h = {.magic = MAGIC, .lowest = SLUICE_PROTOCOL, .highest = SLUICE_PROTOCOL, .flags = 1, .mailbox = s->mailbox,
        .pid = (uint32_t)getpid(), .entries = s->entries, .list_bytes = s->list_bytes, .text_bytes = s->text_bytes};
    size_t name = strlen(s->name);
    memcpy(h.name, s->name, name);
    char *buffer = malloc(MOST_PAYLOAD + 1);
    if (buffer == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    int fds[MOST_FDS];
    int fd_count = 0;
    head answer;
    int result;
    if (send_message(c->socket, HELLO, 0, &h, (uint32_t)(offsetof(hello, name) + name), NULL, 0) < 0) {
        result = sluice_fail(SLUICE_LOST, "the daemon at %s does not answer: %s", s->path, strerror(errno));
    } else {
        result = receive_answer(c->socket, 0, &answer, buffer, fds, &fd_count);
    }
    welcome w;
    memset(&w, 0, sizeof w);
    if (result == 0) {
        memcpy(&w, buffer, answer.bytes < sizeof w ? answer.bytes : sizeof w);
        if (answer.type != WELCOME || w.magic != MAGIC || w.version != SLUICE_PROTOCOL || fd_count != 3 || w.entries == 0) {
            result = sluice_fail(SLUICE_NOT_SUPPORTED, "what answers at %s is no daemon of this release", s->path);
        }
    }
    free(buffer);
    if (result != 0) {
        close_all(fds, fd_count);
        return result;
    }
    void *area = mmap(NULL, w.area_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
    close(fds[0]);
    c->daemon_bell = fds[1];
    c->client_bell = fds[2];
    if (area == MAP_FAILED) {
        return sluice_fail(SLUICE_SYSTEM, "the daemon's area cannot be mapped: %s", strerror(errno));
    }
    madvise(area, w.area_bytes, MADV_DONTFORK);
    c->area = area;
    c->area_bytes = w.area_bytes;
    c->epoch = w.epoch;
    c->gpus = w.gpus;
    c->serves = w.serves;
    c->entries = w.entries;
    c->submissions = w.submissions;
    c->completions = w.completions;
    c->texts = w.texts;
    c->text_bytes = w.text_bytes;
    c->lists = w.lists;
    c->list_bytes = w.list_bytes;
    c->most_pieces = w.most_pieces;
    return 0;
}

static int watch(connection *c) {
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (c->epoll < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->client_bell, &event) < 0) {
        return sluice_fail(SLUICE_SYSTEM, "epoll: %s", strerror(errno));
    }
    event.events = EPOLLRDHUP; /* its end; answers are read by who asked */
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->socket, &event) < 0) {
        return sluice_fail(SLUICE_SYSTEM, "epoll: %s", strerror(errno));
    }
    return 0;
}

int channel_open(sluice *s, connection *c) {
    *c = (connection){.socket = -1, .daemon_bell = -1, .client_bell = -1, .epoll = -1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(s->path);
    if (length >= sizeof address.sun_path) {
        return sluice_fail(SLUICE_INVALID, "the path of a Unix socket has at most 107 bytes: %s", s->path);
    }
    memcpy(address.sun_path, s->path, length + 1);
    c->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->socket < 0) {
        return sluice_fail(SLUICE_SYSTEM, "socket: %s", strerror(errno));
    }
    int result;
    if (connect(c->socket, (struct sockaddr *)&address, sizeof address) < 0) {
        result = sluice_fail(SLUICE_LOST, "no daemon at %s (%s): start 'sluice daemon', or set SLUICE_SOCKET", s->path, strerror(errno));
    } else {
        result = greet(s, c);
        if (result == 0) {
            result = watch(c);
        }
    }
    if (result != 0) {
        channel_close(c);
    }
    return result;
}

static void close_one(int *fd) {
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void channel_close(connection *c) {
    close_one(&c->epoll);
    close_one(&c->daemon_bell);
    close_one(&c->client_bell);
    close_one(&c->socket);
    if (c->area != NULL) {
        munmap(c->area, c->area_bytes);
        c->area = NULL;
    }
}
