// The client's statuses as NIXL's, and what is said of failures.
#pragma once

#include <cstdio>
#include <string>

#include "backend/backend_engine.h"
#include "sluice.h"

namespace sluice_nixl {

inline void say(const std::string &what) { std::fprintf(stderr, "sluice: NIXL backend: %s\n", what.c_str()); }

inline std::string why() { return sluice_error(); }

inline nixl_status_t status(int s) {
    switch (s) {
    case SLUICE_OK: return NIXL_SUCCESS;
    case SLUICE_AGAIN: return NIXL_IN_PROG;
    case SLUICE_CANCELLED: return NIXL_ERR_CANCELED;
    case SLUICE_INVALID:
    case SLUICE_BOUNDS: return NIXL_ERR_INVALID_PARAM;
    case SLUICE_NOT_FOUND: return NIXL_ERR_NOT_FOUND;
    case SLUICE_NOT_SUPPORTED: return NIXL_ERR_NOT_SUPPORTED;
    case SLUICE_NOT_ALLOWED:
    case SLUICE_REMOTE_REFUSED: return NIXL_ERR_NOT_ALLOWED;
    // a lost link or daemon can come back, and an agent told of a disconnect gives the peer up for ever
    default: return NIXL_ERR_BACKEND;
    }
}

} // namespace sluice_nixl
