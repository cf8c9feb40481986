#include "sluice_backend.h"

#include <cstring>
#include <ctime>
#include <stdexcept>

#include "region.h"
#include "request.h"

namespace sluice_nixl {

constexpr int DRAIN_MS = 1000;

Engine::Engine(const nixlBackendInitParams *params) : nixlBackendEngine(params), settings_(Settings::of(params->customParams)) {
    if (localAgent.size() > 1000) {
        throw std::runtime_error("an agent's name has at most 1000 bytes");
    }
    sluice_options options{};
    options.socket = settings_.socket.empty() ? nullptr : settings_.socket.c_str();
    const std::string name = ("nixl " + localAgent).substr(0, 60);
    options.name = name.c_str();
    options.entries = 1024;
    options.list_bytes = 16u << 20; // lists of 128 Ki blocks
    options.text_bytes = 4u << 20;
    if (sluice_open(&options, &client_) < 0) {
        throw std::runtime_error("no daemon: " + why());
    }
    if (settings_.gpu >= sluice_gpus(client_)) {
        sluice_close(client_);
        throw std::runtime_error("gpu " + std::to_string(settings_.gpu) + ": the daemon has " +
                                 std::to_string(sluice_gpus(client_)));
    }
    Peer &self = peers_[localAgent]; // for GPU memory, which the daemon copies within an agent too
    self.address = settings_.address;
    self.mailbox = sluice_mailbox(client_);
    self.gpu = settings_.gpu;
}

Engine::~Engine() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (auto &o : orphans_) {
            o->giveUp();
        }
    }
    for (int i = 0; i < 5000; i++) { // what is under way ends, and the daemon's end ends it too
        reap();
        std::lock_guard<std::mutex> lock(mutex_);
        if (orphans_.empty()) {
            break;
        }
        struct timespec ms = {0, 1000000};
        nanosleep(&ms, nullptr);
    }
    orphans_.clear();
    peers_.clear();
    sluice_close(client_);
}

// Sorts the pieces by links; neighbours become one piece, and the two sides' borders need not be the same.
nixl_status_t Engine::prepare(Request &request, const nixl_meta_dlist_t &local, const nixl_meta_dlist_t &remote,
                              const std::string &agent) const {
    std::map<GpuPair, size_t> places;
    Part *part = nullptr;
    GpuPair of;
    for (int i = 0; i < local.descCount(); i++) {
        const auto &from = local[i];
        const auto &to = remote[i];
        const auto *here = static_cast<const LocalRegion *>(from.metadataP);
        const auto *there = static_cast<const RemoteRegion *>(to.metadataP);
        if (here == nullptr || there == nullptr || from.len != to.len || to.addr < there->begin ||
            to.addr - there->begin > there->bytes || to.len > there->bytes - (to.addr - there->begin)) {
            return NIXL_ERR_INVALID_PARAM;
        }
        const GpuPair gpus{here->gpu, there->gpu};
        if (part == nullptr || of != gpus) {
            auto [place, isNew] = places.try_emplace(gpus, request.parts.size());
            if (isNew) {
                nixl_status_t s = NIXL_SUCCESS;
                request.parts.emplace_back();
                request.parts.back().to = link(agent, &gpus, request.mailbox, s);
                if (request.parts.back().to == nullptr) {
                    return s;
                }
            }
            part = &request.parts[place->second];
            of = gpus;
        }
        const uint64_t offset = from.addr - here->begin;
        const uint64_t remoteOffset = to.addr - there->begin;
        auto &l = part->local;
        if (!l.empty() && l.back().memory == here->memory && l.back().offset + l.back().bytes == offset) {
            l.back().bytes += from.len;
        } else {
            l.push_back({here->memory, offset, from.len});
        }
        auto &r = part->remote;
        if (!r.empty() && r.back().key.high == there->key.high && r.back().key.low == there->key.low &&
            r.back().offset + r.back().bytes == remoteOffset) {
            r.back().bytes += to.len;
        } else {
            r.push_back({there->key, remoteOffset, to.len});
        }
    }
    return list(request);
}

nixl_status_t Engine::list(Request &request) const {
    for (Part &p : request.parts) {
        p.prepared = 0;
    }
    request.epoch = sluice_epoch(client_);
    for (Part &p : request.parts) {
        const int s = sluice_prepare(client_, p.local.data(), static_cast<uint32_t>(p.local.size()), p.remote.data(),
                                     static_cast<uint32_t>(p.remote.size()), &p.prepared);
        if (s < 0) {
            say("a transfer of " + std::to_string(p.local.size()) + " pieces cannot be prepared: " + why());
            return s == SLUICE_AGAIN ? NIXL_ERR_BACKEND : status(s);
        }
    }
    return NIXL_SUCCESS;
}

nixl_status_t Engine::prepXfer(const nixl_xfer_op_t &operation, const nixl_meta_dlist_t &local, const nixl_meta_dlist_t &remote,
                               const std::string &agent, nixlBackendReqH *&handle, const nixl_opt_b_args_t *) const {
    reap();
    auto request = std::make_unique<Request>();
    request->client = client_;
    request->write = operation == NIXL_WRITE;
    if (local.descCount() != remote.descCount() || local.descCount() == 0) {
        return NIXL_ERR_INVALID_PARAM;
    }
    if (agent == localAgent && local.getType() == DRAM_SEG && remote.getType() == DRAM_SEG) {
        for (int i = 0; i < local.descCount(); i++) {
            const uintptr_t here = local[i].addr, there = remote[i].addr;
            request->copies.push_back({request->write ? std::pair{there, here} : std::pair{here, there}, local[i].len});
        }
    } else {
        const nixl_status_t s = prepare(*request, local, remote, agent);
        if (s != NIXL_SUCCESS) {
            return s;
        }
    }
    handle = request.release();
    return NIXL_SUCCESS;
}

nixl_status_t Engine::postXfer(const nixl_xfer_op_t &, const nixl_meta_dlist_t &, const nixl_meta_dlist_t &,
                               const std::string &, nixlBackendReqH *&handle, const nixl_opt_b_args_t *options) const {
    auto *request = static_cast<Request *>(handle);
    if (request->isActive()) {
        return NIXL_ERR_REPOST_ACTIVE;
    }
    request->hasNote = options != nullptr && options->hasNotif;
    request->note = request->hasNote ? framed(options->notifMsg) : std::string();
    request->refused = false;
    if (request->note.size() > MOST_NOTE) {
        say("a notification has " + std::to_string(options->notifMsg.size()) + " bytes; the most is about 59000");
        return NIXL_ERR_INVALID_PARAM;
    }
    if (request->parts.empty()) { // within this agent
        for (const auto &[places, bytes] : request->copies) {
            std::memmove(reinterpret_cast<void *>(places.first), reinterpret_cast<const void *>(places.second), bytes);
        }
        if (request->hasNote) {
            std::lock_guard<std::mutex> lock(mutex_);
            ownNotifs_.emplace_back(localAgent, options->notifMsg);
        }
        return request->last = NIXL_SUCCESS;
    }
    if (!request->isListed()) { // by this daemon: another knows no list of before
        const nixl_status_t s = list(*request);
        if (s != NIXL_SUCCESS) {
            return request->last = s;
        }
    }
    return request->post();
}

nixl_status_t Engine::checkXfer(nixlBackendReqH *handle) const {
    reap();
    return static_cast<Request *>(handle)->look();
}

/*
 * Bytes that land after a release are the worst that can happen, so one under way is cancelled and refused once, without waiting. NIXL does
 * not listen to a second no: then the cancelled end, which takes milliseconds, is waited for, and what has not ended after a second
 * (a peer that hangs) is kept until it does.
 */
nixl_status_t Engine::releaseReqH(nixlBackendReqH *handle) const {
    auto *request = static_cast<Request *>(handle);
    if (request->isUnderWay()) {
        request->giveUp();
        if (request->isUnderWay()) {
            if (!request->refused) {
                request->refused = true;
                return NIXL_ERR_REPOST_ACTIVE;
            }
            request->await(DRAIN_MS);
            if (request->isUnderWay()) {
                say("a released transfer has not ended yet; its memory must stay as it is until it is deregistered");
                std::lock_guard<std::mutex> lock(mutex_);
                orphans_.emplace_back(request);
                return NIXL_SUCCESS;
            }
        }
    }
    delete request;
    return NIXL_SUCCESS;
}

void Engine::reap() const {
    std::vector<std::unique_ptr<Request>> ended; // freed without the lock
    std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = 0; i < orphans_.size();) {
        if (orphans_[i]->isUnderWay()) {
            i++;
        } else {
            ended.push_back(std::move(orphans_[i]));
            orphans_.erase(orphans_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
}

} // namespace sluice_nixl
