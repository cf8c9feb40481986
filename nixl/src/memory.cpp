// Memory of this agent and of others.
#include "blob.h"
#include "region.h"
#include "shared_pages.h"
#include "sluice_backend.h"
#include "status.h"

namespace sluice_nixl {

nixl_mem_list_t Engine::getSupportedMems() const {
    nixl_mem_list_t all;
    if ((sluice_serves(client_) & SLUICE_HOST_MEMORY) != 0) {
        all.push_back(DRAM_SEG);
    }
    if ((sluice_serves(client_) & SLUICE_GPU_MEMORY) != 0) {
        all.push_back(VRAM_SEG);
    }
    return all;
}

nixl_status_t Engine::registerMem(const nixlBlobDesc &mem, const nixl_mem_t &kind, nixlBackendMD *&out) {
    out = nullptr;
    SharedRange range{};
    if (kind == DRAM_SEG) {
        std::string reason;
        if (!SharedPages::ofProcess().share(mem.addr, mem.len, range, reason)) {
            say("memory of " + std::to_string(mem.len) + " bytes cannot be shared with the daemon: " + reason);
            return NIXL_ERR_NOT_SUPPORTED;
        }
    } else if (kind != VRAM_SEG) {
        return NIXL_ERR_NOT_SUPPORTED;
    }
    sluice_memory *memory = nullptr;
    auto present = [&] { // a descriptor's device number may be an ordinal or a rank: the driver is asked instead
        return kind == VRAM_SEG
                   ? sluice_register_device(client_, reinterpret_cast<const void *>(mem.addr), mem.len, nullptr, &memory)
                   : sluice_register(client_, settings_.gpu, range.fd, range.offset, range.bytes, nullptr, &memory);
    };
    int s = present();
    if (s == SLUICE_LOST && sluice_reopen(client_, settings_.timeoutMs) == 0) {
        s = present();
    }
    if (s < 0) {
        say("memory cannot be registered: " + why());
        return status(s) == NIXL_IN_PROG ? NIXL_ERR_BACKEND : status(s);
    }
    out = new LocalRegion(memory, kind == VRAM_SEG ? mem.addr : range.begin);
    return NIXL_SUCCESS;
}

nixl_status_t Engine::deregisterMem(nixlBackendMD *meta) {
    reap();
    auto *region = static_cast<LocalRegion *>(meta);
    const int s = sluice_free(region->memory); // waits until nothing is at it
    delete region;
    return s < 0 && s != SLUICE_LOST ? status(s) : NIXL_SUCCESS;
}

nixl_status_t Engine::loadLocalMD(nixlBackendMD *input, nixlBackendMD *&output) {
    const auto *region = static_cast<const LocalRegion *>(input);
    sluice_remote remote{};
    sluice_remote_of(region->memory, &remote);
    // one of its own: NIXL unloads it at an agent's end, when what was registered is freed
    output = new RemoteRegion(remote.key, region->begin, remote.bytes, region->gpu);
    return NIXL_SUCCESS;
}

nixl_status_t Engine::unloadMD(nixlBackendMD *input) {
    delete static_cast<RemoteRegion *>(input);
    return NIXL_SUCCESS;
}

nixl_status_t Engine::getPublicData(const nixlBackendMD *meta, std::string &str) const {
    const auto *region = static_cast<const LocalRegion *>(meta);
    sluice_remote remote{};
    if (sluice_remote_of(region->memory, &remote) < 0) {
        return NIXL_ERR_BACKEND;
    }
    str.clear(); // it holds the one before
    put(str, REGION);
    put(str, remote.key.high);
    put(str, remote.key.low);
    put(str, static_cast<uint64_t>(region->begin));
    put(str, remote.bytes);
    put(str, region->gpu);
    return NIXL_SUCCESS;
}

nixl_status_t Engine::loadRemoteMD(const nixlBlobDesc &input, const nixl_mem_t &kind, const std::string &, nixlBackendMD *&output) {
    output = nullptr;
    const std::string &blob = input.metaInfo;
    if ((kind != DRAM_SEG && kind != VRAM_SEG) || blob.size() != REGION_BYTES || get<uint32_t>(blob, 0) != REGION) {
        return NIXL_ERR_MISMATCH;
    }
    output = new RemoteRegion({get<uint64_t>(blob, 4), get<uint64_t>(blob, 12)}, get<uint64_t>(blob, 20), get<uint64_t>(blob, 28),
                              get<uint32_t>(blob, 36));
    return NIXL_SUCCESS;
}

} // namespace sluice_nixl
