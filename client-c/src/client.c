/* The client itself: opened, closed, and opened anew with all that it had. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

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
        memory_discard(m);
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
        result = key_draw(&s->mailbox);
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
        s->empty_looks = 0;
        atomic_store(&s->lost, false);
        pthread_mutex_unlock(&s->ends);
        pthread_mutex_unlock(&s->post);
    }
    for (sluice_memory *m = s->memories; result == 0 && m != NULL; m = m->next) {
        result = memory_present(m);
    }
    for (sluice_link *l = s->links; result == 0 && l != NULL; l = l->next) {
        int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
        do {
            result = link_join(l, left < 0 && timeout_ms >= 0 ? 1 : (int)left);
            left = timeout_ms < 0 ? -1 : end - now_ms();
        } while (result == SLUICE_LINK_LOST && (timeout_ms < 0 || left > 0) && nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL) == 0);
    }
    pthread_mutex_unlock(&s->control);
    return result;
}
