/* roundtrip SOCKET_A SOCKET_B HOST:PORT_OF_B: what two clients of two daemons do with each other, every byte compared. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "expect.h"
#include "sluice.h"

#define LIMIT 60000

static void die(const char *what, int status) {
    fprintf(stderr, "%s: %s (%d: %s)\n", what, sluice_error(), status, sluice_status_text(status));
    exit(1);
}

#define OK(call)                   \
    do {                           \
        int status_ = (call);      \
        if (status_ < 0) {         \
            die(#call, status_);   \
        }                          \
    } while (0)

static void fill(void *data, uint64_t bytes, uint64_t seed) {
    uint64_t *at = data;
    for (uint64_t i = 0; i < bytes / 8; i++) {
        at[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed;
    }
}

static uint64_t wrong(const void *data, uint64_t bytes, uint64_t seed) {
    const uint64_t *at = data;
    for (uint64_t i = 0; i < bytes / 8; i++) {
        if (at[i] != ((i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed)) {
            return i * 8 + 1;
        }
    }
    return 0;
}

static sluice *a, *b;
static sluice_link *l;

static void ranges(void) {
    const uint64_t size = 64 << 20;
    sluice_memory *from, *to;
    OK(sluice_allocate(a, 0, size, &from));
    OK(sluice_allocate(b, 0, size, &to));
    sluice_remote there;
    OK(sluice_share(to, "roundtrip"));
    OK(sluice_import(l, "roundtrip", LIMIT, &there));
    sluice_remote same;
    OK(sluice_remote_of(to, &same));
    EXPECT(memcmp(&there, &same, sizeof same) == 0);

    fill(sluice_data(from), size, 1);
    sluice_request r;
    sluice_result result;
    OK(sluice_write(l, from, 0, size, &there, 0, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, &result));
    EXPECT(result.bytes == size);
    EXPECT(wrong(sluice_data(to), size, 1) == 0);

    fill(sluice_data(to), size, 2);
    OK(sluice_read(l, from, 0, size, &there, 0, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, &result));
    EXPECT(wrong(sluice_data(from), size, 2) == 0);

    /* odd places and lengths, what lies beside stays as it is */
    memset(sluice_data(to), 7, 4096);
    OK(sluice_write(l, from, 13, 1001, &there, 17, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, NULL));
    const char *at = sluice_data(to);
    EXPECT(at[16] == 7 && at[17 + 1001] == 7 && memcmp(at + 17, (char *)sluice_data(from) + 13, 1001) == 0);

    /* what does not fit is refused, and says why */
    EXPECT(sluice_write(l, from, size - 1, 2, &there, 0, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_BOUNDS);
    EXPECT(strstr(result.why, "not inside memory") != NULL);
    EXPECT(sluice_write(l, from, 0, 2, &there, size - 1, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_REMOTE_REFUSED);
    sluice_remote guessed = {{there.key.high, there.key.low + 1}, size};
    EXPECT(sluice_write(l, from, 0, 2, &guessed, 0, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_REMOTE_REFUSED);
    EXPECT(sluice_test(a, r, NULL) == SLUICE_NOT_FOUND);

    /* a key that was taken back reaches nothing */
    OK(sluice_free(to));
    EXPECT(sluice_write(l, from, 0, 2, &there, 0, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_REMOTE_REFUSED);
    OK(sluice_free(from));
}

static void many_and_small(void) {
    const uint32_t count = 20000;
    const uint64_t each = 8;
    sluice_memory *from, *to;
    OK(sluice_allocate(a, 0, count * each, &from));
    OK(sluice_allocate(b, 0, count * each, &to));
    sluice_remote there;
    OK(sluice_remote_of(to, &there));
    fill(sluice_data(from), count * each, 3);
    uint32_t posted = 0, ended = 0;
    sluice_extra extra = {.flags = SLUICE_AS_EVENT};
    while (ended < count) {
        while (posted < count) {
            extra.tag = posted;
            int status = sluice_write(l, from, posted * each, each, &there, posted * each, &extra, NULL);
            if (status == SLUICE_AGAIN) {
                break;
            }
            OK(status);
            posted++;
        }
        sluice_event e;
        OK(sluice_await(a, &e, LIMIT));
        EXPECT(e.kind == SLUICE_EVENT_ENDED && e.result.status == 0 && e.tag < count);
        ended++;
    }
    EXPECT(wrong(sluice_data(to), count * each, 3) == 0);
    OK(sluice_free(from));
    OK(sluice_free(to));
}

static void lists(void) {
    enum { BLOCKS = 300, BLOCK = 4096 };
    sluice_memory *from, *to;
    OK(sluice_allocate(a, 0, BLOCKS * BLOCK, &from));
    OK(sluice_allocate(b, 0, BLOCKS * BLOCK, &to));
    sluice_remote there;
    OK(sluice_remote_of(to, &there));
    fill(sluice_data(from), BLOCKS * BLOCK, 4);
    sluice_piece local[BLOCKS];
    sluice_remote_piece remote[BLOCKS / 2];
    for (int i = 0; i < BLOCKS; i++) { /* every second block first, then the others; at the other end in two halves of double size */
        local[i] = (sluice_piece){from, (uint64_t)(i * 2 % BLOCKS + i * 2 / BLOCKS) * BLOCK, BLOCK};
    }
    for (int i = 0; i < BLOCKS / 2; i++) {
        remote[i] = (sluice_remote_piece){there.key, (uint64_t)(BLOCKS / 2 - 1 - i) * 2 * BLOCK, 2 * BLOCK};
    }
    sluice_request r;
    sluice_result result;
    OK(sluice_write_list(l, local, BLOCKS, remote, BLOCKS / 2, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, &result));
    EXPECT(result.bytes == BLOCKS * BLOCK);
    for (int i = 0; i < BLOCKS; i++) {
        const char *at = (const char *)sluice_data(to) + remote[i / 2].offset + (uint64_t)(i % 2) * BLOCK;
        EXPECT(memcmp(at, (const char *)sluice_data(from) + local[i].offset, BLOCK) == 0);
    }
    memset(sluice_data(to), 0, BLOCKS * BLOCK);
    uint32_t prepared;
    OK(sluice_prepare(a, local, BLOCKS, remote, BLOCKS / 2, &prepared));
    for (int round = 0; round < 3; round++) {
        OK(sluice_write_prepared(l, prepared, NULL, &r));
        OK(sluice_wait(a, r, LIMIT, &result));
        EXPECT(result.bytes == BLOCKS * BLOCK);
    }
    EXPECT(memcmp((const char *)sluice_data(to) + remote[0].offset, (const char *)sluice_data(from) + local[0].offset, BLOCK) == 0);
    OK(sluice_read_prepared(l, prepared, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, &result));
    EXPECT(wrong(sluice_data(from), BLOCKS * BLOCK, 4) == 0);
    OK(sluice_release(a, prepared));
    EXPECT(sluice_write_prepared(l, prepared, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_NOT_FOUND);
    local[0].bytes++;
    local[0].offset = 0;
    EXPECT(sluice_write_list(l, local, BLOCKS, remote, BLOCKS / 2, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_INVALID);
    OK(sluice_free(from));
    OK(sluice_free(to));
}

/* Whatever fits beside the ring is taken when nothing else is there, wherever the last list has ended. */
static void lists_of_any_size(const char *socket, const char *address) {
    enum { ROOM = 1 << 16, MOST = ROOM / (sizeof(sluice_remote_piece) + 24) };
    static const uint32_t counts[] = {MOST / 3, MOST, 1, MOST, MOST - 1, MOST / 2, MOST};
    sluice_options options = {.socket = socket, .name = "lists", .entries = 16, .list_bytes = ROOM};
    sluice *c;
    OK(sluice_open(&options, &c));
    sluice_link *link;
    OK(sluice_connect(c, 0, 0, address, LIMIT, &link));
    sluice_memory *from, *to;
    OK(sluice_allocate(c, 0, MOST, &from));
    OK(sluice_allocate(b, 0, MOST, &to));
    sluice_remote there;
    OK(sluice_remote_of(to, &there));
    sluice_piece local[MOST];
    sluice_remote_piece remote[MOST];
    for (uint32_t i = 0; i < MOST; i++) {
        local[i] = (sluice_piece){from, i, 1};
        remote[i] = (sluice_remote_piece){there.key, i, 1};
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        sluice_request r;
        OK(sluice_write_list(link, local, counts[i], remote, counts[i], NULL, &r));
        OK(sluice_wait(c, r, LIMIT, NULL));
        uint32_t prepared;
        OK(sluice_prepare(c, local, counts[i], remote, counts[i], &prepared));
        OK(sluice_release(c, prepared));
    }
    OK(sluice_free(to));
    sluice_close(c);
}

/* Prepared lists go on when the other end has gone and come back under the same key. */
static void lists_after_a_return(const char *socket_of_b) {
    enum { BLOCKS = 64, BLOCK = 4096 };
    const sluice_key key = {0xabcd, 0x9876};
    sluice_options options = {.socket = socket_of_b, .name = "comes back"};
    int file = memfd_create("comes back", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    EXPECT(file >= 0 && ftruncate(file, BLOCKS * BLOCK) == 0);
    char *seen = mmap(NULL, BLOCKS * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    EXPECT(seen != MAP_FAILED);
    sluice_memory *from;
    OK(sluice_allocate(a, 0, BLOCKS * BLOCK, &from));
    sluice_piece local[BLOCKS];
    sluice_remote_piece remote[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        local[i] = (sluice_piece){from, (uint64_t)i * BLOCK, BLOCK};
        remote[i] = (sluice_remote_piece){key, (uint64_t)(BLOCKS - 1 - i) * BLOCK, BLOCK};
    }
    uint32_t prepared;
    OK(sluice_prepare(a, local, BLOCKS, remote, BLOCKS, &prepared));
    for (int life = 0; life < 3; life++) {
        sluice *c;
        sluice_memory *m;
        OK(sluice_open(&options, &c));
        OK(sluice_register(c, 0, file, 0, BLOCKS * BLOCK, &key, &m));
        for (int round = 0; round < 4; round++) {
            sluice_request r;
            memset(seen, 0, BLOCKS * BLOCK);
            fill(sluice_data(from), BLOCKS * BLOCK, (uint64_t)(life * 10 + round));
            OK(sluice_write_prepared(l, prepared, NULL, &r));
            OK(sluice_wait(a, r, LIMIT, NULL));
            for (int i = 0; i < BLOCKS; i++) {
                EXPECT(memcmp(seen + remote[i].offset, (const char *)sluice_data(from) + local[i].offset, BLOCK) == 0);
            }
        }
        sluice_close(c);
        sluice_request r;
        OK(sluice_write_prepared(l, prepared, NULL, &r));
        EXPECT(sluice_wait(a, r, LIMIT, NULL) == SLUICE_REMOTE_REFUSED);
    }
    OK(sluice_release(a, prepared));
    OK(sluice_free(from));
    munmap(seen, BLOCKS * BLOCK);
    close(file);
}

static void notifications(void) {
    sluice_memory *from, *to;
    OK(sluice_allocate(a, 0, 1 << 20, &from));
    OK(sluice_allocate(b, 0, 1 << 20, &to));
    sluice_remote there;
    OK(sluice_remote_of(to, &there));
    for (int i = 0; i < 100; i++) {
        char note[32];
        fill(sluice_data(from), 1 << 20, 100 + i);
        sluice_extra extra = {.note = note, .note_bytes = (uint32_t)snprintf(note, sizeof note, "block %d", i), .mailbox = sluice_mailbox(b)};
        sluice_request r;
        OK(sluice_write(l, from, 0, 1 << 20, &there, 0, &extra, &r));
        sluice_event e = {0};
        if (i % 2) { /* by the descriptor */
            while (sluice_next(b, &e) == 0) {
                if (sluice_arm(b) == 0) {
                    struct pollfd fd = {.fd = sluice_fd(b), .events = POLLIN};
                    EXPECT(poll(&fd, 1, LIMIT) == 1);
                }
            }
        } else {
            EXPECT(sluice_await(b, &e, LIMIT) == 1);
        }
        EXPECT(e.kind == SLUICE_EVENT_NOTE && e.note_bytes == extra.note_bytes && strcmp(e.note, note) == 0);
        sluice_key mine = sluice_mailbox(a);
        EXPECT(memcmp(&e.from, &mine, sizeof mine) == 0);
        EXPECT(wrong(sluice_data(to), 1 << 20, 100 + i) == 0); /* everything had landed */
        free(e.note);
        OK(sluice_wait(a, r, LIMIT, NULL));
    }
    char *large = malloc(60000);
    memset(large, 'x', 60000);
    sluice_request r;
    OK(sluice_notify(l, sluice_mailbox(b), large, 60000, &r));
    OK(sluice_wait(a, r, LIMIT, NULL));
    sluice_event e;
    EXPECT(sluice_await(b, &e, LIMIT) == 1);
    EXPECT(e.kind == SLUICE_EVENT_NOTE && e.note_bytes == 60000 && memcmp(e.note, large, 60000) == 0);
    free(e.note);
    free(large);
    OK(sluice_free(from));
    OK(sluice_free(to));
}

static void files(void) {
    FILE *file = tmpfile();
    EXPECT(file != NULL);
    const uint64_t size = 3 << 20;
    char *bytes = malloc(size);
    fill(bytes, size, 9);
    EXPECT(fwrite(bytes, 1, size, file) == size && fflush(file) == 0);
    sluice_memory *from, *to;
    OK(sluice_register(a, 0, fileno(file), 0, size, NULL, &from));
    OK(sluice_allocate(b, 0, size, &to));
    sluice_remote there;
    OK(sluice_remote_of(to, &there));
    sluice_request r;
    sluice_result result;
    OK(sluice_write(l, from, 0, size, &there, 0, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, &result));
    EXPECT(wrong(sluice_data(to), size, 9) == 0);
    fill(sluice_data(to), size, 10);
    OK(sluice_read(l, from, 0, size, &there, 0, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, NULL));
    EXPECT(pread(fileno(file), bytes, size, 0) == (ssize_t)size && wrong(bytes, size, 10) == 0);

    /* a file that shrinks ends its transfer, and nothing else */
    EXPECT(ftruncate(fileno(file), 4096) == 0);
    EXPECT(sluice_write(l, from, 0, size, &there, 0, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_MEMORY_FAULT);
    EXPECT(sluice_read(l, from, 0, size, &there, 0, NULL, &r) == 0 && sluice_wait(a, r, LIMIT, &result) == SLUICE_MEMORY_FAULT);
    OK(sluice_write(l, from, 0, 4096, &there, 0, NULL, &r));
    OK(sluice_wait(a, r, LIMIT, NULL));
    sluice_remote key;
    OK(sluice_remote_of(from, &key));
    OK(sluice_free(from));
    OK(sluice_free(to));

    int memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    EXPECT(memory >= 0 && ftruncate(memory, 8192) == 0);
    EXPECT(sluice_register(a, 0, memory, 0, 8192, &key.key, &from) == SLUICE_DEAD_KEY);
    OK(sluice_register(a, 0, memory, 4096, 4096, NULL, &from));
    EXPECT(ftruncate(memory, 0) < 0); /* sealed by the daemon */
    OK(sluice_remote_of(from, &key));
    EXPECT(sluice_register(b, 0, memory, 0, 8192, &key.key, &to) == 0); /* another daemon: its own keys */
    OK(sluice_free(to));
    OK(sluice_free(from));
    EXPECT(sluice_register(a, 0, memory, 0, 8193, NULL, &from) == SLUICE_BOUNDS);
    close(memory);
    int pipes[2];
    EXPECT(pipe(pipes) == 0 && sluice_register(a, 0, pipes[0], 0, 4096, NULL, &from) == SLUICE_INVALID);
    close(pipes[0]);
    close(pipes[1]);
    int null = open("/dev/zero", O_RDWR);
    EXPECT(sluice_register(a, 0, null, 0, 4096, NULL, &from) == SLUICE_INVALID);
    close(null);
    fclose(file);
    free(bytes);
}

static void refusals(const char *address) {
    sluice_link *none;
    (void)address;
    EXPECT(sluice_connect(a, 0, 0, "127.0.0.1:1", 1000, &none) < 0);
    EXPECT(sluice_connect(a, 99, 0, "127.0.0.1:1", 1000, &none) == SLUICE_NOT_FOUND);
    EXPECT(sluice_connect(a, 0, 0, "nonsense", 1000, &none) < 0);
    sluice_remote there;
    EXPECT(sluice_import(l, "nobody shares this", 50, &there) == SLUICE_DEADLINE);
    char *json;
    OK(sluice_stats(a, &json));
    EXPECT(strstr(json, "\"name\":\"roundtrip\"") != NULL);
    free(json);
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: roundtrip SOCKET_A SOCKET_B HOST:PORT_OF_B\n");
        return 2;
    }
    sluice_options at_a = {.socket = arguments[1], .name = "roundtrip"};
    sluice_options at_b = {.socket = arguments[2], .name = "roundtrip b"};
    OK(sluice_open(&at_a, &a));
    OK(sluice_open(&at_b, &b));
    EXPECT(sluice_gpus(a) >= 1 && sluice_epoch(a) != sluice_epoch(b));
    OK(sluice_connect(a, 0, 0, arguments[3], LIMIT, &l));
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"ranges", ranges}, {"many and small", many_and_small}, {"lists", lists}, {"notifications", notifications}, {"files", files}};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        fprintf(stderr, "%s\n", tests[i].name);
        tests[i].run();
    }
    fprintf(stderr, "lists after a return\n");
    lists_after_a_return(arguments[2]);
    fprintf(stderr, "lists of any size\n");
    lists_of_any_size(arguments[1], arguments[3]);
    refusals(arguments[3]);
    OK(sluice_disconnect(l));
    sluice_close(a);
    sluice_close(b);
    puts("ok");
    return 0;
}
