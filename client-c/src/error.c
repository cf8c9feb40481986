#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

static _Thread_local char last[512];

int sluice_fail(int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last, sizeof last, format, arguments);
    va_end(arguments);
    return status;
}

const char *sluice_error(void) { return last; }

const char *sluice_status_text(int status) {
    static const char *const daemon[] = {"done", "invalid request", "no such memory, link, list or request", "out of bounds",
        "the other side refused", "the link is lost", "cancelled", "the deadline passed", "over a quota", "in use", "a dead key",
        "the memory has shrunk", "not supported", "the daemon is going", "internal error of the daemon", "not allowed"};
    if (status <= 0 && status >= SLUICE_NOT_ALLOWED) {
        return daemon[-status];
    }
    switch (status) {
    case SLUICE_LOST:
        return "the daemon is gone";
    case SLUICE_AGAIN:
        return "the rings are full";
    case SLUICE_SYSTEM:
        return "a system call failed";
    default:
        return "unknown status";
    }
}
