// Other agents: how they are found and told.
#include <cstdlib>
#include <ctime>

#include "blob.h"
#include "request.h"

namespace sluice_nixl {

nixl_status_t Engine::getConnInfo(std::string &str) const {
    const sluice_key mailbox = sluice_mailbox(client_);
    str.clear();
    put(str, INFO);
    put(str, mailbox.high);
    put(str, mailbox.low);
    put(str, settings_.gpu);
    str += settings_.address;
    return NIXL_SUCCESS;
}

nixl_status_t Engine::loadRemoteConnInfo(const std::string &agent, const std::string &info) {
    if (info.size() < 24 || info.size() > 1024 || get<uint32_t>(info, 0) != INFO) {
        return NIXL_ERR_MISMATCH;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    Peer &peer = peers_[agent];
    if (peer.info != info) { // an agent that started anew has another mailbox
        peer.info = info;
        peer.mailbox = {get<uint64_t>(info, 4), get<uint64_t>(info, 12)};
        peer.gpu = get<uint32_t>(info, 20);
        if (peer.address != info.substr(24)) {
            peer.address = info.substr(24);
            peer.links.clear();
            peer.notes.reset();
        }
    }
    return NIXL_SUCCESS;
}

nixl_status_t Engine::connect(const std::string &agent) {
    if (agent == localAgent) {
        return NIXL_SUCCESS;
    }
    nixl_status_t s = NIXL_SUCCESS;
    sluice_key mailbox{};
    link(agent, nullptr, mailbox, s);
    return s;
}

nixl_status_t Engine::disconnect(const std::string &agent) {
    std::map<GpuPair, std::shared_ptr<LinkTo>> last; // given back without the lock
    std::lock_guard<std::mutex> lock(mutex_);
    auto peer = peers_.find(agent);
    if (peer != peers_.end() && agent != localAgent) {
        last = std::move(peer->second.links);
        peers_.erase(peer);
    }
    return NIXL_SUCCESS;
}

// Made when it is needed first, and again when it has ended. Waits. Without GPUs it is the one that notifications go by.
std::shared_ptr<LinkTo> Engine::link(const std::string &agent, const GpuPair *gpus, sluice_key &mailbox, nixl_status_t &s) const {
    std::string address;
    GpuPair pair;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        auto found = peers_.find(agent);
        if (found == peers_.end()) {
            s = NIXL_ERR_NOT_FOUND;
            return nullptr;
        }
        Peer &peer = found->second;
        mailbox = peer.mailbox;
        pair = gpus != nullptr ? *gpus : peer.notes.value_or(GpuPair{settings_.gpu, peer.gpu});
        auto made = peer.links.find(pair);
        if (made != peer.links.end() && !made->second->ended) {
            return made->second;
        }
        address = peer.address;
    }
    sluice_link *made = nullptr;
    int r = sluice_connect(client_, pair.first, pair.second, address.c_str(), settings_.timeoutMs, &made);
    if (r == SLUICE_LOST && sluice_reopen(client_, settings_.timeoutMs) == 0) {
        r = sluice_connect(client_, pair.first, pair.second, address.c_str(), settings_.timeoutMs, &made);
    }
    if (r < 0) {
        say("no link to agent " + agent + " at " + address + ": " + why());
        s = NIXL_ERR_BACKEND;
        return nullptr;
    }
    auto link = std::make_shared<LinkTo>(made);
    std::shared_ptr<LinkTo> before; // given back without the lock
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = peers_.find(agent);
    if (found != peers_.end()) {
        before = std::exchange(found->second.links[pair], link);
        if (!found->second.notes.has_value()) {
            found->second.notes = pair;
        }
    }
    return link;
}

// The sender's name before the message: a notification of the daemon's knows its mailbox alone.
std::string Engine::framed(const std::string &message) const {
    std::string note;
    put(note, static_cast<uint16_t>(localAgent.size()));
    return note + localAgent + message;
}

nixl_status_t Engine::getNotifs(notif_list_t &list) {
    reap();
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (auto &n : ownNotifs_) {
            list.push_back(std::move(n));
        }
        ownNotifs_.clear();
    }
    sluice_event event{};
    while (sluice_next(client_, &event) > 0) {
        switch (event.kind) {
        case SLUICE_EVENT_NOTE: {
            const std::string note(static_cast<const char *>(event.note), event.note_bytes);
            std::free(event.note);
            if (note.size() >= 2 && note.size() - 2 >= get<uint16_t>(note, 0)) {
                const size_t name = get<uint16_t>(note, 0);
                list.emplace_back(note.substr(2, name), note.substr(2 + name));
            }
            break;
        }
        case SLUICE_EVENT_LINK_ENDED: {
            std::lock_guard<std::mutex> lock(mutex_);
            for (auto &[agent, peer] : peers_) {
                for (auto &[gpus, to] : peer.links) {
                    if (to->link == event.link) {
                        to->ended = true; // the next transfer makes another
                        say("the link to agent " + agent + " has ended: " + event.result.why);
                    }
                }
            }
            break;
        }
        case SLUICE_EVENT_ENDED:
            if (event.result.status < 0) {
                say(std::string("a notification was not delivered: ") + event.result.why);
            }
            break;
        case SLUICE_EVENT_NOTES_LOST:
            say(std::to_string(event.result.bytes) + " notifications came faster than they were taken and are lost");
            break;
        case SLUICE_EVENT_LOST:
            say("the daemon is gone; the next transfer looks for another");
            return NIXL_SUCCESS;
        default:
            break;
        }
        event = {};
    }
    return NIXL_SUCCESS;
}

nixl_status_t Engine::genNotif(const std::string &agent, const std::string &message) const {
    if (agent == localAgent) {
        std::lock_guard<std::mutex> lock(mutex_);
        ownNotifs_.emplace_back(localAgent, message);
        return NIXL_SUCCESS;
    }
    nixl_status_t s = NIXL_SUCCESS;
    sluice_key mailbox{};
    auto to = link(agent, nullptr, mailbox, s);
    if (to == nullptr) {
        return s;
    }
    const std::string note = framed(message);
    if (note.size() > MOST_NOTE) {
        return NIXL_ERR_INVALID_PARAM;
    }
    for (int i = 0;; i++) {
        const int r = sluice_notify(to->link, mailbox, note.data(), static_cast<uint32_t>(note.size()), nullptr);
        if (r != SLUICE_AGAIN || i >= 2000) {
            if (r < 0) {
                say("a notification cannot be sent to " + agent + ": " + why());
            }
            return r == SLUICE_AGAIN ? NIXL_ERR_BACKEND : status(r);
        }
        struct timespec ms = {0, 1000000}; // the rings are full for a moment
        nanosleep(&ms, nullptr);
    }
}

} // namespace sluice_nixl
