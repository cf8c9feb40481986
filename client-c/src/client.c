/* Opening and closing, memory and links. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

enum { KIND_FILE = 1, KIND_CUDA_IPC = 2, KIND_CUDA_VMM = 3 };
#define WHICHEVER UINT32_MAX

static int draw(sluice_key *key) {
    size_t done = 0;
    while (done < sizeof *key) {
        ssize_t n = getrandom((char *)key + done, sizeof *key - done, 0);
        if (n < 0 && errno != EINTR) {
            return sluice_fail(SLUICE_SYSTEM, "getrandom: %s", strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static char *default_path(void) {
    const char *told = getenv("SLUICE_SOCKET");
    if (told != NULL && told[0] != 0) {
        return strdup(told);
    }
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char *path = NULL;
    if (runtime != NULL && runtime[0] != 0 && asprintf(&path, "%s/sluice/daemon", runtime) >= 0) {
        if (access(path, F_OK) == 0) {
            return path;
        }
        free(path);
    }
    return strdup("/run/sluice/daemon");
}

static void free_all(sluice *s) {
    channel_close(&s->c);
    while (s->first_event != NULL) {
        waiting_event *e = s->first_event;
        s->first_event = e->next;
        free(e->event.note);
        free(e);
    }
    while (s->memories != NULL) {
        sluice_memory *m = s->memories;
        s->memories = m->next;
        if (m->data != NULL) {
            munmap(m->data, m->bytes);
        }
        if (m->fd >= 0) {
            close(m->fd);
        }
        free(m);
    }
    while (s->links != NULL) {
        sluice_link *l = s->links;
        s->links = l->next;
        free(l);
    }
    free(s->slots);
    free(s->free_slots);
    free(s->list_ends);
    free(s->path);
    pthread_mutex_destroy(&s->control);
    pthread_mutex_destroy(&s->post);
    pthread_mutex_destroy(&s->ends);
    pthread_cond_destroy(&s->ended);
    free(s);
}

int sluice_open(const sluice_options *options, sluice **out) {
    static const sluice_options usual = {0};
    const sluice_options *o = options != NULL ? options : &usual;
    sluice *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    s->c = (connection){.socket = -1, .daemon_bell = -1, .client_bell = -1, .epoll = -1};
    s->pid = getpid();
    s->last_event = &s->first_event;
    s->entries = o->entries != 0 ? o->entries : 256;
    s->list_bytes = o->list_bytes != 0 ? o->list_bytes : 4u << 20;
    s->text_bytes = o->text_bytes != 0 ? o->text_bytes : 1u << 20;
    s->mailbox = o->mailbox;
    snprintf(s->name, sizeof s->name, "%s", o->name != NULL ? o->name : program_invocation_short_name);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->control, NULL);
    pthread_mutex_init(&s->post, NULL);
    pthread_mutex_init(&s->ends, NULL);
    pthread_cond_init(&s->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int result = 0;
    s->path = o->socket != NULL ? strdup(o->socket) : default_path();
    s->slot_count = 4 * s->entries;
    s->slots = calloc(s->slot_count, sizeof *s->slots);
    s->free_slots = calloc(s->slot_count, sizeof *s->free_slots);
    s->list_ends = calloc(s->entries, sizeof *s->list_ends);
    if (s->path == NULL || s->slots == NULL || s->free_slots == NULL || s->list_ends == NULL) {
        result = sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    if (result == 0 && (s->mailbox.high | s->mailbox.low) == 0) {
        result = draw(&s->mailbox);
    }
    if (result == 0) {
        for (uint32_t i = 0; i < s->slot_count; i++) {
            s->slots[i].generation = 1;
            s->free_slots[s->free_count++] = s->slot_count - 1 - i;
        }
        result = channel_open(s, &s->c);
    }
    if (result != 0) {
        free_all(s);
        return result;
    }
    *out = s;
    return 0;
}

void sluice_close(sluice *s) {
    if (s == NULL) {
        return;
    }
    if (s->pid == getpid() && !atomic_load(&s->lost)) {
        uint32_t none = 0;
        atomic_store(&s->lost, true);
        struct {
            uint32_t bytes;
            uint16_t type, zero;
            uint64_t number;
        } goodbye = {0, GOODBYE, 0, 0};
        if (write(s->c.socket, &goodbye, sizeof goodbye) == (ssize_t)sizeof goodbye) {
            char byte;
            while (read(s->c.socket, &byte, 1) > 0) { /* the daemon closes it when it uses nothing of ours any more */
                none++;
            }
        }
    }
    free_all(s);
}

uint64_t sluice_epoch(const sluice *s) { return s->c.epoch; }
uint32_t sluice_gpus(const sluice *s) { return s->c.gpus; }
unsigned sluice_serves(const sluice *s) { return s->c.serves; }
sluice_key sluice_mailbox(const sluice *s) { return s->mailbox; }

int sluice_stats(sluice *s, char **json) {
    char *text = malloc(MOST_PAYLOAD + 1);
    if (text == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    uint32_t bytes = MOST_PAYLOAD + 1;
    pthread_mutex_lock(&s->control);
    int result = channel_ask(s, STATS, NULL, 0, -1, text, &bytes);
    pthread_mutex_unlock(&s->control);
    if (result != 0) {
        free(text);
        return result;
    }
    *json = text;
    return 0;
}

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

/* Tells the daemon of memory. The control lock is held. */
static int present(sluice_memory *m) {
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

static int enroll(sluice_memory *m, sluice_memory **out) {
    sluice *s = m->s;
    pthread_mutex_lock(&s->control);
    int result = present(m);
    if (result == 0) {
        m->next = s->memories;
        s->memories = m;
        *out = m;
    }
    pthread_mutex_unlock(&s->control);
    return result;
}

static void discard(sluice_memory *m) {
    if (m->data != NULL) {
        munmap(m->data, m->bytes);
    }
    if (m->fd >= 0) {
        close(m->fd);
    }
    free(m);
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
            result = draw(&m->key);
        }
    }
    if (result == 0) {
        result = enroll(m, out);
    }
    if (result != 0) {
        discard(m);
    }
    return result;
}

int sluice_register(sluice *s, uint32_t gpu, int fd, uint64_t offset, uint64_t bytes, const sluice_key *key, sluice_memory **out) {
    sluice_memory *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    *m = (sluice_memory){.s = s, .gpu = gpu, .offset = offset, .bytes = bytes};
    m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int result = m->fd < 0 ? sluice_fail(SLUICE_SYSTEM, "the descriptor: %s", strerror(errno)) : 0;
    if (result == 0) {
        if (key != NULL) {
            m->key = *key;
        } else {
            result = draw(&m->key);
        }
    }
    if (result == 0) {
        result = enroll(m, out);
    }
    if (result != 0) {
        discard(m);
    }
    return result;
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
    int result = 0;
    if (key != NULL) {
        m->key = *key;
    } else {
        result = draw(&m->key);
    }
    if (result == 0) {
        result = enroll(m, out);
    }
    if (result != 0) {
        discard(m);
    }
    return result;
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
        discard(m);
    }
    return result;
}

void *sluice_data(const sluice_memory *m) { return m->data; }
uint64_t sluice_size(const sluice_memory *m) { return m->bytes; }

int sluice_remote_of(const sluice_memory *m, sluice_remote *out) {
    *out = (sluice_remote){m->key, m->bytes};
    return 0;
}

/* Two numbers and a name. */
static int ask_named(sluice *s, uint16_t type, uint32_t first, uint32_t second, const char *name, void *answer, uint32_t *bytes) {
    char ask[8 + 1000];
    size_t length = name != NULL ? strlen(name) : 0;
    if (length == 0 || length > 1000) {
        return sluice_fail(SLUICE_INVALID, "a name has 1 to 1000 bytes");
    }
    memcpy(ask, &first, 4);
    memcpy(ask + 4, &second, 4);
    memcpy(ask + 8, name, length);
    return channel_ask(s, type, ask, (uint32_t)(8 + length), -1, answer, bytes);
}

int sluice_share(sluice_memory *m, const char *name) {
    pthread_mutex_lock(&m->s->control);
    int result = ask_named(m->s, SHARE, m->number, 0, name, NULL, NULL);
    pthread_mutex_unlock(&m->s->control);
    return result;
}

int sluice_import(sluice_link *l, const char *name, int timeout_ms, sluice_remote *out) {
    uint64_t answer[3];
    uint32_t bytes = sizeof answer;
    pthread_mutex_lock(&l->s->control);
    int result = ask_named(l->s, IMPORT, l->number, timeout_ms < 0 ? 0 : (uint32_t)timeout_ms, name, answer, &bytes);
    pthread_mutex_unlock(&l->s->control);
    if (result == 0) {
        *out = (sluice_remote){{answer[0], answer[1]}, answer[2]};
    }
    return result;
}

/* Asks the daemon for a link. The control lock is held. */
static int join(sluice_link *l, int timeout_ms) {
    unsigned char ask[16 + sizeof l->address];
    uint32_t numbers[4] = {l->local_gpu, l->remote_gpu, timeout_ms < 0 ? 0 : (uint32_t)timeout_ms, 0};
    size_t length = strlen(l->address);
    memcpy(ask, numbers, sizeof numbers);
    memcpy(ask + sizeof numbers, l->address, length);
    uint32_t answer[2];
    uint32_t bytes = sizeof answer;
    int result = channel_ask(l->s, LINK, ask, (uint32_t)(sizeof numbers + length), -1, answer, &bytes);
    if (result == 0) {
        l->number = answer[0];
    }
    return result;
}

int sluice_connect(sluice *s, uint32_t local_gpu, uint32_t remote_gpu, const char *address, int timeout_ms, sluice_link **out) {
    if (address == NULL || strlen(address) >= sizeof((sluice_link *)0)->address) {
        return sluice_fail(SLUICE_INVALID, "an address is host:port");
    }
    sluice_link *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return sluice_fail(SLUICE_SYSTEM, "no memory");
    }
    l->s = s;
    l->local_gpu = local_gpu;
    l->remote_gpu = remote_gpu;
    strcpy(l->address, address);
    pthread_mutex_lock(&s->control);
    int result = join(l, timeout_ms);
    if (result == 0) {
        pthread_mutex_lock(&s->ends);
        l->next = s->links;
        s->links = l;
        pthread_mutex_unlock(&s->ends);
        *out = l;
    }
    pthread_mutex_unlock(&s->control);
    if (result != 0) {
        free(l);
    }
    return result;
}

int sluice_disconnect(sluice_link *l) {
    if (l == NULL) {
        return 0;
    }
    sluice *s = l->s;
    uint32_t ask[2] = {l->number, 0};
    pthread_mutex_lock(&s->control);
    int result = channel_ask(s, UNLINK, ask, sizeof ask, -1, NULL, NULL);
    pthread_mutex_lock(&s->ends);
    for (sluice_link **at = &s->links; *at != NULL; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    pthread_mutex_unlock(&s->ends);
    pthread_mutex_unlock(&s->control);
    free(l);
    return result == SLUICE_LOST ? 0 : result;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether another try may end better: the daemon is not there yet, or has not seen the end of our last connection. */
static bool may_pass(int result) { return result == SLUICE_LOST || result == SLUICE_IN_USE || result == SLUICE_QUOTA || result == SLUICE_GOING; }

int sluice_reopen(sluice *s, int timeout_ms) {
    if (!atomic_load(&s->lost)) {
        return 0;
    }
    int64_t end = now_ms() + timeout_ms;
    pthread_mutex_lock(&s->control);
    connection fresh;
    int result;
    while (true) {
        result = channel_open(s, &fresh);
        if (result == 0 || !may_pass(result) || (timeout_ms >= 0 && now_ms() >= end)) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    if (result == 0) {
        pthread_mutex_lock(&s->post);
        pthread_mutex_lock(&s->ends);
        while (s->waiting) { /* whoever is in poll() on the old descriptors has been told of their end */
            pthread_cond_wait(&s->ended, &s->ends);
        }
        channel_close(&s->c);
        s->c = fresh;
        s->submission_tail = s->submission_head_seen = s->completion_head = 0;
        s->list_tail = s->list_head = 0;
        s->armed = false;
        s->empty_looks = 0;
        atomic_store(&s->lost, false);
        pthread_mutex_unlock(&s->ends);
        pthread_mutex_unlock(&s->post);
    }
    for (sluice_memory *m = s->memories; result == 0 && m != NULL; m = m->next) {
        result = present(m);
    }
    for (sluice_link *l = s->links; result == 0 && l != NULL; l = l->next) {
        int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
        do {
            result = join(l, left < 0 && timeout_ms >= 0 ? 1 : (int)left);
            left = timeout_ms < 0 ? -1 : end - now_ms();
        } while (result == SLUICE_LINK_LOST && (timeout_ms < 0 || left > 0) && nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL) == 0);
    }
    pthread_mutex_unlock(&s->control);
    return result;
}
