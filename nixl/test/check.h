// How the test programs give up: with the program's name, the line and the status.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "nixl.h"

[[noreturn]] inline void fail(const char *what, int line, long status) {
    std::fprintf(stderr, "%s: line %d: %s: status %ld\n", program_invocation_short_name, line, what, status);
    std::_Exit(1);
}

#define OK(call)                                                                                                                        \
    do {                                                                                                                                \
        const long s_ = static_cast<long>(call);                                                                                        \
        if (s_ != NIXL_SUCCESS) fail(#call, __LINE__, s_);                                                                              \
    } while (0)
#define CHECK(condition)                                                                                                                \
    do {                                                                                                                                \
        if (!(condition)) fail(#condition, __LINE__, 0);                                                                                \
    } while (0)
