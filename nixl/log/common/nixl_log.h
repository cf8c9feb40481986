// Stands in for NIXL's header of this name, so that the plugin needs no Abseil: what its headers use, and nothing else.
#ifndef __NIXL_LOG_H
#define __NIXL_LOG_H

#include <cassert>
#include <iostream>

#define NIXL_ERROR std::cerr << "\nNIXL: "
#define NIXL_ASSERT(condition) assert(condition)
#define NIXL_ASSERT_ALWAYS(condition) assert(condition)

#endif
