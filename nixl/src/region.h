// Registered memory, as NIXL's metadata objects.
#pragma once

#include "backend/backend_engine.h"
#include "sluice.h"

namespace sluice_nixl {

// A registered region of this process.
class LocalRegion final : public nixlBackendMD {
  public:
    LocalRegion(sluice_memory *m, uintptr_t start) : nixlBackendMD(true), memory(m), begin(start), gpu(sluice_gpu_of(m)) {}
    sluice_memory *const memory;
    const uintptr_t begin; // of the memory: of host memory whole pages
    const uint32_t gpu;    // whose links reach it
};

// One of another agent.
class RemoteRegion final : public nixlBackendMD {
  public:
    RemoteRegion(sluice_key k, uintptr_t start, uint64_t size, uint32_t ofGpu)
        : nixlBackendMD(false), key(k), begin(start), bytes(size), gpu(ofGpu) {}
    const sluice_key key;
    const uintptr_t begin;
    const uint64_t bytes;
    const uint32_t gpu;
};

} // namespace sluice_nixl
