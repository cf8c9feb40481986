// Another agent, and the links to its daemon.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sluice_backend.h"

namespace sluice_nixl {

constexpr uint32_t MOST_NOTE = 60000; // of the daemon's protocol

// A link to another agent's daemon; ends with its last user.
struct LinkTo {
    explicit LinkTo(sluice_link *l) : link(l) {}
    LinkTo(const LinkTo &) = delete;
    void operator=(const LinkTo &) = delete;
    ~LinkTo() { sluice_disconnect(link); }

    sluice_link *const link;
    std::atomic<bool> ended{false};
};

struct Peer {
    std::string info;
    std::string address;
    sluice_key mailbox{};
    uint32_t gpu = 0;
    std::map<GpuPair, std::shared_ptr<LinkTo>> links;
    std::optional<GpuPair> notes; // the first link's: notifications alone go by it, so that they stay in order
};

} // namespace sluice_nixl
