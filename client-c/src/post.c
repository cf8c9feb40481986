/* Posting requests: the submission ring and the lists beside it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* Takes a slot; 0 where there is none. */
static sluice_request take_slot(sluice *s, uint32_t flags, uint64_t tag) {
    pthread_mutex_lock(&s->ends);
    sluice_request number = 0;
    if (s->free_count > 0) {
        uint32_t index = s->free_slots[--s->free_count];
        slot *one = &s->slots[index];
        one->state = SLOT_UNDER_WAY;
        one->flags = flags;
        one->tag = tag;
        number = (uint64_t)one->generation << 32 | (index + 1);
    }
    pthread_mutex_unlock(&s->ends);
    return number;
}

static void return_slot(sluice *s, sluice_request number) {
    pthread_mutex_lock(&s->ends);
    slot *one = &s->slots[(uint32_t)number - 1];
    if (one->generation == number >> 32 && one->state != SLOT_FREE) {
        one->state = SLOT_FREE;
        one->generation++;
        s->free_slots[s->free_count++] = (uint32_t)number - 1;
    }
    pthread_mutex_unlock(&s->ends);
}

/* Sees which submissions the daemon has taken, and with them their lists. The post lock is held. */
static void look(sluice *s) {
    const connection *c = &s->c;
    uint64_t head = atomic_load_explicit(word(c, AT_SUBMISSION_HEAD), memory_order_acquire);
    if (head > s->submission_tail || head < s->submission_head_seen) {
        return;
    }
    if (head > s->submission_head_seen) {
        s->submission_head_seen = head;
        uint64_t end = s->list_ends[(head - 1) & (c->entries - 1)];
        s->list_head = end > s->list_head ? end : s->list_head;
    }
    if (s->list_head == s->list_tail) { /* no list is in use: from the start, where everything fits that ever does */
        s->list_tail = (s->list_tail + c->list_bytes - 1) / c->list_bytes * c->list_bytes;
        s->list_head = s->list_tail;
    }
}

/* Room among the lists, whole; gives the place or -1. The post lock is held. */
static int64_t list_room(sluice *s, uint64_t bytes) {
    uint64_t space = s->c.list_bytes;
    bytes = (bytes + 7) & ~UINT64_C(7);
    uint64_t begin = s->list_tail;
    if (begin % space + bytes > space) {
        begin += space - begin % space;
    }
    if (begin + bytes - s->list_head > space) {
        return -1;
    }
    s->list_tail = begin + bytes;
    return (int64_t)(begin % space);
}

static void ring(const connection *c) {
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(half(c, AT_DAEMON_SLEEPS), memory_order_relaxed) != 0 && atomic_exchange(half(c, AT_DAEMON_SLEEPS), 0) != 0) {
        uint64_t one = 1;
        ssize_t ignored = write(c->daemon_bell, &one, sizeof one);
        (void)ignored;
    }
}

static void publish(sluice *s, const submission *e) {
    const connection *c = &s->c;
    uint64_t index = s->submission_tail & (c->entries - 1);
    memcpy(c->area + c->submissions + index * sizeof *e, e, sizeof *e);
    s->list_ends[index] = s->list_tail;
    s->submission_tail++;
    atomic_store_explicit(word(c, AT_SUBMISSION_TAIL), s->submission_tail, memory_order_release);
    ring(c);
}

static int put_pieces(sluice *s, const sluice_piece *local, uint32_t locals, const sluice_remote_piece *remote, uint32_t remotes,
        submission *e) {
    const connection *c = &s->c;
    if (locals > c->most_pieces || remotes > c->most_pieces) {
        return sluice_fail(SLUICE_QUOTA, "a list has at most %u pieces", c->most_pieces);
    }
    if ((uint64_t)locals * sizeof(local_piece) + (uint64_t)remotes * sizeof *remote > c->list_bytes) {
        return sluice_fail(SLUICE_QUOTA, "lists of %u and %u pieces need more than the %u bytes of list_bytes", locals, remotes, c->list_bytes);
    }
    int64_t local_at = list_room(s, (uint64_t)locals * sizeof(local_piece));
    int64_t remote_at = local_at < 0 ? -1 : list_room(s, (uint64_t)remotes * sizeof *remote);
    if (remote_at < 0) {
        return sluice_fail(SLUICE_AGAIN, "there is no room for lists now");
    }
    local_piece *to = (local_piece *)(void *)(c->area + c->lists + local_at);
    for (uint32_t i = 0; i < locals; i++) {
        if (local[i].memory == NULL || local[i].memory->s != s) {
            return sluice_fail(SLUICE_INVALID, "piece %u is of another connection", i);
        }
        to[i] = (local_piece){local[i].memory->number, 0, local[i].offset, local[i].bytes};
    }
    memcpy(c->area + c->lists + remote_at, remote, (size_t)remotes * sizeof *remote);
    e->flags |= LISTED;
    e->local_at = (uint32_t)local_at;
    e->local_count = locals;
    e->remote_at = (uint32_t)remote_at;
    e->remote_count = remotes;
    return 0;
}

typedef struct lists {
    const sluice_piece *local;
    const sluice_remote_piece *remote;
    uint32_t locals, remotes;
} lists;

static int put_lists(sluice *s, submission *e, const lists *pieces, const sluice_extra *extra) {
    if (pieces != NULL) {
        int result = put_pieces(s, pieces->local, pieces->locals, pieces->remote, pieces->remotes, e);
        if (result != 0) {
            return result;
        }
    }
    if (extra != NULL && (extra->note_bytes > 0 || (extra->mailbox.high | extra->mailbox.low) != 0)) {
        if (extra->note_bytes > MOST_NOTE) {
            return sluice_fail(SLUICE_INVALID, "a notification has at most %u bytes, not %u", MOST_NOTE, extra->note_bytes);
        }
        int64_t at = list_room(s, extra->note_bytes);
        if (at < 0) {
            return sluice_fail(SLUICE_AGAIN, "there is no room for notifications now");
        }
        if (extra->note_bytes > 0) {
            memcpy(s->c.area + s->c.lists + at, extra->note, extra->note_bytes);
        }
        e->flags |= WITH_NOTE;
        e->note_at = (uint32_t)at;
        e->note_bytes = extra->note_bytes;
        e->mailbox = extra->mailbox;
    }
    return 0;
}

static int put(sluice *s, submission *e, const lists *pieces, const sluice_extra *extra) {
    look(s);
    if (s->submission_tail - s->submission_head_seen >= s->c.entries) {
        return sluice_fail(SLUICE_AGAIN, "there are %u requests on their way already", s->c.entries);
    }
    uint64_t list_tail = s->list_tail;
    int result = put_lists(s, e, pieces, extra);
    if (result != 0) {
        s->list_tail = list_tail;
        return result;
    }
    publish(s, e);
    return 0;
}

static int post(sluice_link *l, submission *e, const lists *pieces, const sluice_extra *extra, sluice_request *out) {
    if (l == NULL) {
        return sluice_fail(SLUICE_INVALID, "no link");
    }
    sluice *s = l->s;
    uint32_t flags = extra != NULL ? extra->flags : 0;
    if (out == NULL && !(flags & SLUICE_AS_EVENT)) {
        return sluice_fail(SLUICE_INVALID, "a request whose name nobody takes needs SLUICE_AS_EVENT");
    }
    e->deadline = extra != NULL ? extra->deadline_ns : 0;
    e->number = take_slot(s, flags, extra != NULL ? extra->tag : 0);
    if (e->number == 0) {
        return sluice_fail(SLUICE_AGAIN, "too many requests whose end was not taken");
    }
    pthread_mutex_lock(&s->post);
    int result;
    if (atomic_load(&s->lost)) {
        result = sluice_fail(SLUICE_LOST, "the daemon is gone; sluice_reopen() finds the next one");
    } else {
        e->link = l->number;
        result = put(s, e, pieces, extra);
    }
    pthread_mutex_unlock(&s->post);
    if (result != 0) {
        return_slot(s, e->number);
    } else if (out != NULL) {
        *out = e->number;
    }
    return result;
}

static int post_range(uint8_t operation, sluice_link *l, const sluice_memory *m, uint64_t offset, uint64_t bytes, const sluice_remote *remote,
        uint64_t remote_offset, const sluice_extra *extra, sluice_request *out) {
    if (m == NULL || remote == NULL || l == NULL || m->s != l->s) {
        return sluice_fail(SLUICE_INVALID, "no memory, no remote memory, or memory of another connection than the link");
    }
    submission e = {.operation = operation, .memory = m->number, .offset = offset, .bytes = bytes, .key = remote->key, .remote_offset = remote_offset};
    return post(l, &e, NULL, extra, out);
}

int sluice_write(sluice_link *l, const sluice_memory *from, uint64_t offset, uint64_t bytes, const sluice_remote *to, uint64_t to_offset,
        const sluice_extra *extra, sluice_request *out) {
    return post_range(OP_WRITE, l, from, offset, bytes, to, to_offset, extra, out);
}

int sluice_read(sluice_link *l, const sluice_memory *to, uint64_t offset, uint64_t bytes, const sluice_remote *from, uint64_t from_offset,
        const sluice_extra *extra, sluice_request *out) {
    return post_range(OP_READ, l, to, offset, bytes, from, from_offset, extra, out);
}

int sluice_write_list(sluice_link *l, const sluice_piece *from, uint32_t from_count, const sluice_remote_piece *to, uint32_t to_count,
        const sluice_extra *extra, sluice_request *out) {
    submission e = {.operation = OP_WRITE};
    lists pieces = {from, to, from_count, to_count};
    return post(l, &e, &pieces, extra, out);
}

int sluice_read_list(sluice_link *l, const sluice_piece *to, uint32_t to_count, const sluice_remote_piece *from, uint32_t from_count,
        const sluice_extra *extra, sluice_request *out) {
    submission e = {.operation = OP_READ};
    lists pieces = {to, from, to_count, from_count};
    return post(l, &e, &pieces, extra, out);
}

int sluice_write_prepared(sluice_link *l, uint32_t prepared, const sluice_extra *extra, sluice_request *out) {
    submission e = {.operation = OP_WRITE, .flags = PREPARED, .local_at = prepared};
    return post(l, &e, NULL, extra, out);
}

int sluice_read_prepared(sluice_link *l, uint32_t prepared, const sluice_extra *extra, sluice_request *out) {
    submission e = {.operation = OP_READ, .flags = PREPARED, .local_at = prepared};
    return post(l, &e, NULL, extra, out);
}

int sluice_notify(sluice_link *l, sluice_key mailbox, const void *note, uint32_t bytes, sluice_request *out) {
    submission e = {.operation = OP_NOTIFY};
    sluice_extra extra = {.note = note, .note_bytes = bytes, .mailbox = mailbox, .flags = out == NULL ? SLUICE_AS_EVENT : 0};
    if ((mailbox.high | mailbox.low) == 0) {
        return sluice_fail(SLUICE_INVALID, "a notification needs a mailbox");
    }
    return post(l, &e, NULL, &extra, out);
}

int sluice_cancel(sluice *s, sluice_request r) {
    submission e = {.operation = OP_CANCEL, .offset = r};
    pthread_mutex_lock(&s->post);
    int result = 0;
    if (!atomic_load(&s->lost)) {
        look(s);
        if (s->submission_tail - s->submission_head_seen >= s->c.entries) {
            result = sluice_fail(SLUICE_AGAIN, "there are %u requests on their way already", s->c.entries);
        } else {
            publish(s, &e);
        }
    }
    pthread_mutex_unlock(&s->post);
    return result;
}

int sluice_prepare(sluice *s, const sluice_piece *local, uint32_t local_count, const sluice_remote_piece *remote, uint32_t remote_count,
        uint32_t *out) {
    pthread_mutex_lock(&s->control);
    pthread_mutex_lock(&s->post);
    int result = 0;
    /* the lists stay in use until the answer, so nobody may post meanwhile, and what was posted must have been taken */
    for (look(s); s->submission_head_seen != s->submission_tail && !atomic_load(&s->lost); look(s)) {
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        pthread_mutex_lock(&s->ends);
        ends_drain(s);
        pthread_mutex_unlock(&s->ends);
    }
    submission e = {.operation = 0};
    uint64_t list_tail = s->list_tail;
    s->list_head = list_tail;
    result = put_pieces(s, local, local_count, remote, remote_count, &e);
    if (result == 0) {
        uint32_t ask[4] = {e.local_at, e.local_count, e.remote_at, e.remote_count};
        uint32_t answer[4];
        uint32_t bytes = sizeof answer;
        result = channel_ask(s, PREPARE, ask, sizeof ask, -1, answer, &bytes);
        if (result == 0) {
            *out = answer[0];
        }
    }
    s->list_tail = list_tail;
    pthread_mutex_unlock(&s->post);
    pthread_mutex_unlock(&s->control);
    return result;
}

int sluice_release(sluice *s, uint32_t prepared) {
    uint32_t ask[2] = {prepared, 0};
    pthread_mutex_lock(&s->control);
    int result = channel_ask(s, RELEASE, ask, sizeof ask, -1, NULL, NULL);
    pthread_mutex_unlock(&s->control);
    return result;
}
