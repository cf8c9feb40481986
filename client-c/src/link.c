/* Links: made, ended, and the names that the other end shares its memory under. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int link_join(sluice_link *l, int timeout_ms) {
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
    int result = link_join(l, timeout_ms);
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

int sluice_import(sluice_link *l, const char *name, int timeout_ms, sluice_remote *out) {
    uint64_t answer[3];
    uint32_t bytes = sizeof answer;
    pthread_mutex_lock(&l->s->control);
    int result = channel_ask_named(l->s, IMPORT, l->number, timeout_ms < 0 ? 0 : (uint32_t)timeout_ms, name, answer, &bytes);
    pthread_mutex_unlock(&l->s->control);
    if (result == 0) {
        *out = (sluice_remote){{answer[0], answer[1]}, answer[2]};
    }
    return result;
}
