/* keys SOCKET: whose a key is. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "sluice.h"

int main(int count, char **arguments) {
    EXPECT(count == 2);
    sluice_options options = {.socket = arguments[1], .name = "keys"};
    const sluice_key key = {0x1234, 0x5678};
    int memory = memfd_create("keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    EXPECT(memory >= 0 && ftruncate(memory, 1 << 20) == 0);
    sluice *first, *second;
    sluice_memory *mine, *same, *other;
    EXPECT(sluice_open(&options, &first) == 0);
    EXPECT(sluice_register(first, 0, memory, 0, 1 << 20, &key, &mine) == 0);
    EXPECT(sluice_register(first, 0, memory, 0, 1 << 20, &key, &same) == 0); /* twice is fine */
    EXPECT(sluice_register(first, 0, memory, 0, 4096, &key, &other) == SLUICE_IN_USE);
    EXPECT(sluice_open(&options, &second) == 0);
    EXPECT(sluice_register(second, 0, memory, 0, 1 << 20, &key, &other) == SLUICE_IN_USE);
    sluice_key zeros = {0, 0};
    EXPECT(sluice_register(second, 0, memory, 0, 1 << 20, &zeros, &other) == SLUICE_INVALID);

    /* a client that is gone without a word leaves its key to whoever knows it */
    sluice_close(first);
    EXPECT(sluice_register(second, 0, memory, 0, 1 << 20, &key, &other) == 0);
    /* taken back, it is dead for ever */
    EXPECT(sluice_free(other) == 0);
    EXPECT(sluice_register(second, 0, memory, 0, 1 << 20, &key, &other) == SLUICE_DEAD_KEY);

    /* not for a child */
    pid_t child = fork();
    if (child == 0) {
        _exit(sluice_allocate(second, 0, 4096, &other) == SLUICE_INVALID ? 0 : 1);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    /* two of one mailbox cannot be */
    sluice_options twin = options;
    twin.mailbox = sluice_mailbox(second);
    EXPECT(sluice_open(&twin, &first) == SLUICE_IN_USE);
    sluice_close(second);
    EXPECT(sluice_open(&twin, &first) == 0);
    sluice_close(first);
    sluice_options absent = {.socket = "/nonexistent/sluice"};
    EXPECT(sluice_open(&absent, &first) == SLUICE_LOST && strstr(sluice_error(), "no daemon at /nonexistent/sluice") != NULL);
    close(memory);
    puts("ok");
    return 0;
}
