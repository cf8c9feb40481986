/* Memory: made or registered, told to the daemon, shared under a name, freed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

enum { KIND_FILE = 1, KIND_CUDA_IPC = 2, KIND_CUDA_VMM = 3 };
#define WHICHEVER UINT32_MAX

/* Hands the descriptors of allocations over, as many at a time as a message takes. The control lock is held. */
static int hand_over(sluice *s, const device_export *e) {
    int result = 0;
    for (uint32_t at = 0; at < e->count && result == 0; at += MOST_SENT) {
        uint32_t some = e->count - at < MOST_SENT ? e->count - at : MOST_SENT;
        result = channel_ask_with(s, PARTS, e->sizes + at, some * (uint32_t)sizeof *e->sizes, e->fds + at, some, NULL, NULL);
    }
    return result;
}

/* Tells the daemon of GPU memory. The control lock is held. */
static int present_device(sluice_memory *m) {
    device_export e;
    int result = device_describe(m->device, m->bytes, &e);
    if (result != 0) {
        return result;
    }
    if (m->buffer != 0 && m->buffer != e.buffer) {
        device_forget(&e);
        return sluice_fail(SLUICE_INVALID, "the GPU memory at 0x%llx is not the one that was registered: it was freed, and the address used again",
                (unsigned long long)m->device);
    }
    struct {
        uint32_t kind, gpu;
        sluice_key key;
        uint64_t offset, bytes, buffer;
        unsigned char uuid[16];
        union {
            struct {
                uint64_t allocation;
                unsigned char handle[64];
            } ipc;
            struct {
                uint32_t count, zero;
            } vmm;
        } how;
    } ask = {.kind = e.legacy ? KIND_CUDA_IPC : KIND_CUDA_VMM, .gpu = WHICHEVER, .key = m->key, .offset = e.offset, .bytes = m->bytes,
        .buffer = e.buffer};
    memcpy(ask.uuid, e.uuid, sizeof ask.uuid);
    uint32_t length = (uint32_t)(offsetof(__typeof__(ask), how) + (e.legacy ? sizeof ask.how.ipc : sizeof ask.how.vmm));
    if (e.legacy) {
        ask.how.ipc.allocation = e.allocation;
        memcpy(ask.how.ipc.handle, e.handle, sizeof e.handle);
    } else {
        ask.how.vmm.count = e.count;
        ask.how.vmm.zero = 0;
        result = hand_over(m->s, &e);
    }
    uint32_t answer[6];
    uint32_t bytes = sizeof answer;
    if (result == 0) {
        result = channel_ask(m->s, REGISTER, &ask, length, -1, answer, &bytes);
    }
    if (result == 0) {
        m->number = answer[0];
        m->gpu = answer[4];
        m->buffer = e.buffer;
    }
    device_forget(&e);
    return result;
}

int memory_present(sluice_memory *m) {
    if (m->device != 0) {
        return present_device(m);
    }
    struct {
        uint32_t kind, gpu;
        sluice_key key;
        uint64_t offset, bytes, buffer;
    } ask = {KIND_FILE, m->gpu, m->key, m->offset, m->bytes, 0};
    uint32_t answer[4];
    uint32_t bytes = sizeof answer;
    int result = channel_ask(m->s, REGISTER, &ask, sizeof ask, m->fd, answer, &bytes);
    if (result == 0) {
        m->number = answer[0];
    }
    return result;
}

void memory_discard(sluice_memory *m) {
    if (m->data != NULL) {
        munmap(m->data, m->bytes);
    }
    if (m->fd >= 0) {
        close(m->fd);
    }
    free(m);
}

/* Under the program's key or a fresh one, tells the daemon of memory; discards it where that fails. */
static int enroll(sluice_memory *m, const sluice_key *key, sluice_memory **out) {
    sluice *s = m->s;
    int result = 0;
    if (key != NULL) {
        m->key = *key;
    } else {
        result = key_draw(&m->key);
    }
    if (result == 0) {
        pthread_mutex_lock(&s->control);
        result = memory_present(m);
        if (result == 0) {
            m->next = s->memories;
            s->memories = m;
            *out = m;
        }
        pthread_mutex_unlock(&s->control);
    }
    if (result != 0) {
        memory_discard(m);
    }
    return result;
}

int sluice_allocate(sluice *s, uint32_t gpu, uint64_t bytes, sluice_memory **out) {
    if (bytes == 0) {
        return sluice_fail(SLUICE_INVALID, "memory has at least 1 byte");
    }
    sluice_memory *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    *m = (sluice_memory){.s = s, .gpu = gpu, .bytes = bytes};
    m->fd = memfd_create("sluice", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int result = 0;
    if (m->fd < 0 || ftruncate(m->fd, (off_t)bytes) < 0 || fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
        result = sluice_fail(SLUICE_SYSTEM, "no memory of %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
    } else {
        void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
        if (data == MAP_FAILED) {
            result = sluice_fail(SLUICE_SYSTEM, "mmap of %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
        } else {
            m->data = data;
        }
    }
    if (result != 0) {
        memory_discard(m);
        return result;
    }
    return enroll(m, NULL, out);
}

int sluice_register(sluice *s, uint32_t gpu, int fd, uint64_t offset, uint64_t bytes, const sluice_key *key, sluice_memory **out) {
    sluice_memory *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    *m = (sluice_memory){.s = s, .gpu = gpu, .offset = offset, .bytes = bytes};
    m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (m->fd < 0) {
        int result = sluice_fail(SLUICE_SYSTEM, "the descriptor: %s", strerror(errno));
        memory_discard(m);
        return result;
    }
    return enroll(m, key, out);
}

int sluice_register_device(sluice *s, const void *pointer, uint64_t bytes, const sluice_key *key, sluice_memory **out) {
    if (pointer == NULL || bytes == 0) {
        return sluice_fail(SLUICE_INVALID, "GPU memory has an address and at least 1 byte");
    }
    sluice_memory *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    *m = (sluice_memory){.s = s, .bytes = bytes, .fd = -1, .device = (uint64_t)(uintptr_t)pointer};
    return enroll(m, key, out);
}

uint32_t sluice_gpu_of(const sluice_memory *m) { return m->gpu; }

int sluice_free(sluice_memory *m) {
    if (m == NULL) {
        return 0;
    }
    sluice *s = m->s;
    uint32_t ask[2] = {m->number, 1};
    pthread_mutex_lock(&s->control);
    int result = channel_ask(s, DEREGISTER, ask, sizeof ask, -1, NULL, NULL);
    if (result == 0 || result == SLUICE_LOST) {
        result = 0;
        for (sluice_memory **at = &s->memories; *at != NULL; at = &(*at)->next) {
            if (*at == m) {
                *at = m->next;
                break;
            }
        }
    }
    pthread_mutex_unlock(&s->control);
    if (result == 0) {
        memory_discard(m);
    }
    return result;
}

void *sluice_data(const sluice_memory *m) { return m->data; }
uint64_t sluice_size(const sluice_memory *m) { return m->bytes; }

int sluice_remote_of(const sluice_memory *m, sluice_remote *out) {
    *out = (sluice_remote){m->key, m->bytes};
    return 0;
}

int sluice_share(sluice_memory *m, const char *name) {
    pthread_mutex_lock(&m->s->control);
    int result = channel_ask_named(m->s, SHARE, m->number, 0, name, NULL, NULL);
    pthread_mutex_unlock(&m->s->control);
    return result;
}
