/* What the daemon tells: ends of requests and events, and waiting for them. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* How often a look at an empty ring asks the socket whether the daemon is still there. */
#define LOOKS_PER_CHECK 65536u

static void push_event(sluice *s, const sluice_event *event) {
    waiting_event *e = malloc(sizeof *e);
    if (e == NULL) {
        free(event->note);
        return;
    }
    e->next = NULL;
    e->event = *event;
    *s->last_event = e;
    s->last_event = &e->next;
}

static slot *slot_of(sluice *s, uint64_t number) {
    uint32_t index = (uint32_t)number - 1;
    if (index >= s->slot_count || s->slots[index].generation != number >> 32) {
        return NULL;
    }
    return &s->slots[index];
}

static void free_slot(sluice *s, slot *one) {
    one->state = SLOT_FREE;
    one->generation++;
    s->free_slots[s->free_count++] = (uint32_t)(one - s->slots);
}

static void end_slot(sluice *s, slot *one, uint64_t number) {
    if (one->flags & SLUICE_AS_EVENT) {
        sluice_event event = {.kind = SLUICE_EVENT_ENDED, .request = number, .tag = one->tag, .result = one->result};
        free_slot(s, one);
        push_event(s, &event);
    } else {
        one->state = SLOT_ENDED;
    }
}

static sluice_link *link_of(sluice *s, uint32_t number) {
    sluice_link *l = s->links;
    while (l != NULL && l->number != number) {
        l = l->next;
    }
    return l;
}

static void take(sluice *s, const completion *c) {
    const connection *k = &s->c;
    const char *text = (const char *)k->area + c->text_at;
    uint32_t length = c->text_bytes;
    if (length > 0 && (c->text_at < k->texts || length > k->text_bytes || c->text_at - k->texts > k->text_bytes - length)) {
        length = 0; /* a daemon that is not in its right mind */
    }
    if (c->kind == SLUICE_EVENT_ENDED) {
        slot *one = slot_of(s, c->number);
        if (one == NULL || one->state != SLOT_UNDER_WAY) {
            return; /* of a cancellation */
        }
        one->result.status = -(int)c->status;
        one->result.bytes = c->bytes;
        size_t n = length < sizeof one->result.why ? length : sizeof one->result.why - 1;
        memcpy(one->result.why, text, n);
        one->result.why[n] = 0;
        end_slot(s, one, c->number);
        return;
    }
    sluice_event event = {.kind = (int)c->kind, .from = c->from};
    event.result.bytes = c->bytes;
    if (c->kind == SLUICE_EVENT_NOTE) {
        event.note = malloc(length + 1);
        if (event.note == NULL) {
            return;
        }
        memcpy(event.note, text, length);
        ((char *)event.note)[length] = 0;
        event.note_bytes = length;
    } else {
        event.link = link_of(s, (uint32_t)c->number);
        size_t n = length < sizeof event.result.why ? length : sizeof event.result.why - 1;
        memcpy(event.result.why, text, n);
    }
    push_event(s, &event);
}

void ends_lose(sluice *s) {
    if (atomic_exchange(&s->lost, true)) {
        return;
    }
    for (uint32_t i = 0; i < s->slot_count; i++) {
        slot *one = &s->slots[i];
        if (one->state == SLOT_UNDER_WAY) {
            one->result = (sluice_result){.status = SLUICE_LOST, .why = "the daemon is gone"};
            end_slot(s, one, (uint64_t)one->generation << 32 | (i + 1));
        }
    }
    sluice_event event = {.kind = SLUICE_EVENT_LOST, .result = {.status = SLUICE_LOST, .why = "the daemon is gone"}};
    push_event(s, &event);
    pthread_cond_broadcast(&s->ended);
}

static void ring(const connection *c, uint32_t flag) {
    if (atomic_load_explicit(half(c, flag), memory_order_relaxed) != 0 && atomic_exchange(half(c, flag), 0) != 0) {
        uint64_t one = 1;
        ssize_t ignored = write(c->daemon_bell, &one, sizeof one);
        (void)ignored;
    }
}

/* Takes everything that has been told. The lock is held. */
void ends_drain(sluice *s) {
    if (atomic_load_explicit(&s->lost, memory_order_relaxed)) {
        return;
    }
    const connection *c = &s->c;
    uint64_t tail = atomic_load_explicit(word(c, AT_COMPLETION_TAIL), memory_order_acquire);
    if (tail == s->completion_head) {
        if (++s->empty_looks >= LOOKS_PER_CHECK) {
            s->empty_looks = 0;
            if (channel_ended(s)) {
                ends_lose(s);
            }
        }
        return;
    }
    if (tail - s->completion_head > 2 * (uint64_t)c->entries) {
        ends_lose(s);
        return;
    }
    while (s->completion_head != tail) {
        completion one;
        memcpy(&one, c->area + c->completions + (s->completion_head & (2 * c->entries - 1)) * sizeof one, sizeof one);
        take(s, &one);
        s->completion_head++;
    }
    atomic_store_explicit(word(c, AT_COMPLETION_HEAD), s->completion_head, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    ring(c, AT_ROOM_WANTED);
    if (s->waiting) {
        pthread_cond_broadcast(&s->ended);
    }
}

/* Says that this client sleeps. Gives 1 when there is something already. The lock is held. */
static int arm(sluice *s) {
    const connection *c = &s->c;
    if (atomic_load(&s->lost)) {
        return 1;
    }
    uint64_t rung; /* perhaps late, for what is taken already: left there, it would end every wait at once */
    ssize_t ignored = read(c->client_bell, &rung, sizeof rung);
    (void)ignored;
    atomic_store(half(c, AT_CLIENT_WAITS), 1);
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(word(c, AT_COMPLETION_TAIL), memory_order_acquire) != s->completion_head;
}

int sluice_fd(const sluice *s) { return s->c.epoll; }

int sluice_arm(sluice *s) {
    pthread_mutex_lock(&s->ends);
    ends_drain(s);
    int something = s->first_event != NULL || arm(s);
    pthread_mutex_unlock(&s->ends);
    return something;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

typedef bool (*condition)(sluice *s, void *what);

/* Waits until the condition holds: one thread of the program waits in poll(), the others for it. The lock is held. */
static bool wait_for(sluice *s, condition holds, void *what, int timeout_ms) {
    for (int i = 0; i < 100; i++) {
        ends_drain(s);
        if (holds(s, what)) {
            return true;
        }
    }
    int64_t end = now_ms() + timeout_ms;
    while (true) {
        ends_drain(s);
        if (holds(s, what)) {
            return true;
        }
        int64_t left = timeout_ms < 0 ? 1000 : end - now_ms();
        if (left <= 0) {
            return false;
        }
        if (left > 1000) {
            left = 1000;
        }
        if (s->waiting) {
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_sec += left / 1000;
            until.tv_nsec += (left % 1000) * 1000000;
            if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
            }
            pthread_cond_timedwait(&s->ended, &s->ends, &until);
            continue;
        }
        if (arm(s)) {
            continue;
        }
        s->waiting = true;
        struct pollfd fds[2] = {{.fd = s->c.client_bell, .events = POLLIN}, {.fd = s->c.socket, .events = POLLRDHUP}};
        pthread_mutex_unlock(&s->ends);
        int n = poll(fds, 2, (int)left);
        pthread_mutex_lock(&s->ends);
        s->waiting = false;
        if (n > 0 && (fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) {
            ends_drain(s);
            ends_lose(s);
        }
        pthread_cond_broadcast(&s->ended); /* somebody else waits in poll() now, or nobody */
    }
}

static bool request_ended(sluice *s, void *what) {
    slot *one = slot_of(s, *(sluice_request *)what);
    return one == NULL || one->state != SLOT_UNDER_WAY;
}

static bool has_event(sluice *s, void *what) {
    (void)what;
    return s->first_event != NULL;
}

/* 1 and the result, 0, or SLUICE_NOT_FOUND. The lock is held. */
static int take_result(sluice *s, sluice_request r, sluice_result *result) {
    slot *one = slot_of(s, r);
    if (one == NULL || one->state == SLOT_FREE) {
        return sluice_fail(SLUICE_NOT_FOUND, "there is no such request, or its end was told");
    }
    if (one->state == SLOT_UNDER_WAY) {
        return 0;
    }
    if (one->result.status != 0) {
        sluice_fail(one->result.status, "%s", one->result.why[0] ? one->result.why : sluice_status_text(one->result.status));
    }
    *result = one->result;
    free_slot(s, one);
    return 1;
}

int sluice_test(sluice *s, sluice_request r, sluice_result *result) {
    sluice_result unused;
    pthread_mutex_lock(&s->ends);
    ends_drain(s);
    int taken = take_result(s, r, result != NULL ? result : &unused);
    pthread_mutex_unlock(&s->ends);
    return taken;
}

int sluice_wait(sluice *s, sluice_request r, int timeout_ms, sluice_result *result) {
    sluice_result unused;
    sluice_result *into = result != NULL ? result : &unused;
    pthread_mutex_lock(&s->ends);
    wait_for(s, request_ended, &r, timeout_ms);
    int taken = take_result(s, r, into);
    pthread_mutex_unlock(&s->ends);
    if (taken == 0) {
        return sluice_fail(SLUICE_DEADLINE, "the request is still under way after %d ms", timeout_ms);
    }
    return taken == 1 ? into->status : taken;
}

/* The lock is held. */
static int take_event(sluice *s, sluice_event *event) {
    waiting_event *e = s->first_event;
    if (e == NULL) {
        return 0;
    }
    *event = e->event;
    s->first_event = e->next;
    if (s->first_event == NULL) {
        s->last_event = &s->first_event;
    }
    free(e);
    return 1;
}

int sluice_next(sluice *s, sluice_event *event) {
    pthread_mutex_lock(&s->ends);
    ends_drain(s);
    int taken = take_event(s, event);
    pthread_mutex_unlock(&s->ends);
    return taken;
}

int sluice_await(sluice *s, sluice_event *event, int timeout_ms) {
    pthread_mutex_lock(&s->ends);
    wait_for(s, has_event, NULL, timeout_ms);
    int taken = take_event(s, event);
    pthread_mutex_unlock(&s->ends);
    return taken;
}
