#include "sluice_backend.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "shared_pages.h"

namespace sluice_nixl {

namespace {

constexpr uint32_t MOST_NOTE = 60000; // of the daemon's protocol
constexpr int DRAIN_MS = 1000;

void say(const std::string &what) { std::fprintf(stderr, "sluice: NIXL backend: %s\n", what.c_str()); }

std::string why() { return sluice_error(); }

nixl_status_t status(int s) {
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

template <typename T> void put(std::string &to, T value) { to.append(reinterpret_cast<const char *>(&value), sizeof value); }

template <typename T> T get(const std::string &from, size_t at) {
    T value;
    std::memcpy(&value, from.data() + at, sizeof value);
    return value;
}

// Both start a blob, so that those of another release are told apart.
constexpr uint32_t INFO = 0x31494c53;   // "SLI1"
constexpr uint32_t REGION = 0x31524c53; // "SLR1"
constexpr size_t REGION_BYTES = 4 + 16 + 8 + 8;

} // namespace

const nixl_b_params_t &Settings::defaults() {
    static const nixl_b_params_t all = {{"socket", ""}, {"address", "127.0.0.1:20100"}, {"gpu", "0"}, {"timeout_ms", "30000"}};
    return all;
}

Settings Settings::of(const nixl_b_params_t *params) {
    auto text = [&](const char *name) {
        if (params != nullptr) {
            auto given = params->find(name);
            if (given != params->end() && !given->second.empty() && given->second != defaults().at(name)) {
                return given->second;
            }
        }
        std::string variable = std::string("SLUICE_NIXL_") + name;
        for (char &c : variable) {
            c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        const char *set = std::getenv(variable.c_str());
        return set != nullptr && *set != 0 ? std::string(set) : defaults().at(name);
    };
    Settings s;
    s.socket = text("socket");
    s.address = text("address");
    s.gpu = static_cast<uint32_t>(std::stoul(text("gpu")));
    s.timeoutMs = std::stoi(text("timeout_ms"));
    if (s.address.size() > 200 || s.address.find(':') == std::string::npos) {
        throw std::runtime_error("address '" + s.address + "': write HOST:PORT, where other hosts' daemons reach the one here");
    }
    return s;
}

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
    std::shared_ptr<LinkTo> link;
};

// A registered region of this process.
class LocalRegion final : public nixlBackendMD {
  public:
    LocalRegion(sluice_memory *m, uintptr_t start) : nixlBackendMD(true), memory(m), begin(start) {}
    sluice_memory *const memory;
    const uintptr_t begin; // of the memory, whole pages
};

// One of another agent.
class RemoteRegion final : public nixlBackendMD {
  public:
    RemoteRegion(sluice_key k, uintptr_t start, uint64_t size) : nixlBackendMD(false), key(k), begin(start), bytes(size) {}
    const sluice_key key;
    const uintptr_t begin;
    const uint64_t bytes;
};

/*
 * What a handle stands for. Keys of the other side are copied: NIXL frees its descriptors when a peer is invalidated, also with
 * transfers under way. One thread at a time, as NIXL has it for a handle, but for its end as an orphan.
 */
class Request final : public nixlBackendReqH {
  public:
    ~Request() override {
        if (prepared != 0 && client != nullptr) {
            sluice_release(client, prepared);
        }
    }

    // The end, if it has come; NIXL_IN_PROG else.
    nixl_status_t look() {
        if (waiting) {
            return post();
        }
        if (request == 0) {
            return last;
        }
        sluice_result result{};
        const int ended = sluice_test(client, request, &result);
        if (ended == 0) {
            return NIXL_IN_PROG;
        }
        request = 0;
        last = status(ended < 0 ? ended : result.status);
        if (last < 0 && last != NIXL_ERR_CANCELED) {
            say(std::string("a transfer failed: ") + (ended < 0 ? why() : std::string(result.why)));
        }
        return last;
    }

    nixl_status_t post() {
        sluice_extra extra{};
        if (hasNote) {
            extra.note = note.data();
            extra.note_bytes = static_cast<uint32_t>(note.size());
            extra.mailbox = mailbox;
        }
        const int s = write ? sluice_write_prepared(to->link, prepared, &extra, &request)
                            : sluice_read_prepared(to->link, prepared, &extra, &request);
        waiting = s == SLUICE_AGAIN; // the rings are full: tried again at each look
        if (s < 0 && !waiting) {
            request = 0;
            last = status(s);
            say("a transfer cannot be posted: " + why());
            return last;
        }
        return NIXL_IN_PROG;
    }

    bool isUnderWay() { return look() == NIXL_IN_PROG; }

    // Waits for its end, so long at the most.
    void await(int milliseconds) {
        if (request != 0) {
            sluice_result result{};
            const int ended = sluice_wait(client, request, milliseconds, &result);
            if (ended != SLUICE_DEADLINE || result.status != SLUICE_OK) {
                request = 0;
                last = status(ended);
            }
        }
    }

    void giveUp() {
        if (waiting) {
            waiting = false;
            last = NIXL_ERR_CANCELED;
        } else if (request != 0) {
            sluice_cancel(client, request);
        }
    }

    sluice *client = nullptr;
    bool write = false;
    std::shared_ptr<LinkTo> to; // none for a transfer within this agent
    sluice_key mailbox{};
    std::vector<sluice_piece> local;
    std::vector<sluice_remote_piece> remote;
    std::vector<std::pair<std::pair<uintptr_t, uintptr_t>, size_t>> copies; // (to, from), bytes
    uint32_t prepared = 0;
    uint64_t epoch = 0;
    sluice_request request = 0;
    bool waiting = false;
    bool hasNote = false;
    bool refused = false;
    std::string note;
    nixl_status_t last = NIXL_ERR_NOT_POSTED;
};

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


nixl_status_t Engine::registerMem(const nixlBlobDesc &mem, const nixl_mem_t &kind, nixlBackendMD *&out) {
    out = nullptr;
    if (kind != DRAM_SEG) {
        return NIXL_ERR_NOT_SUPPORTED;
    }
    SharedRange range{};
    std::string reason;
    if (!SharedPages::ofProcess().share(mem.addr, mem.len, range, reason)) {
        say("memory of " + std::to_string(mem.len) + " bytes cannot be shared with the daemon: " + reason);
        return NIXL_ERR_NOT_SUPPORTED;
    }
    sluice_memory *memory = nullptr;
    int s = sluice_register(client_, settings_.gpu, range.fd, range.offset, range.bytes, nullptr, &memory);
    if (s == SLUICE_LOST && sluice_reopen(client_, settings_.timeoutMs) == 0) {
        s = sluice_register(client_, settings_.gpu, range.fd, range.offset, range.bytes, nullptr, &memory);
    }
    if (s < 0) {
        say("memory cannot be registered: " + why());
        return status(s) == NIXL_IN_PROG ? NIXL_ERR_BACKEND : status(s);
    }
    out = new LocalRegion(memory, range.begin);
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
    output = input;
    return NIXL_SUCCESS;
}

nixl_status_t Engine::unloadMD(nixlBackendMD *input) {
    if (auto *remote = dynamic_cast<RemoteRegion *>(input)) {
        delete remote;
    } // else it is what registerMem made, and deregisterMem frees
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
    return NIXL_SUCCESS;
}

nixl_status_t Engine::loadRemoteMD(const nixlBlobDesc &input, const nixl_mem_t &kind, const std::string &, nixlBackendMD *&output) {
    output = nullptr;
    const std::string &blob = input.metaInfo;
    if (kind != DRAM_SEG || blob.size() != REGION_BYTES || get<uint32_t>(blob, 0) != REGION) {
        return NIXL_ERR_MISMATCH;
    }
    output = new RemoteRegion({get<uint64_t>(blob, 4), get<uint64_t>(blob, 12)}, get<uint64_t>(blob, 20), get<uint64_t>(blob, 28));
    return NIXL_SUCCESS;
}

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
            peer.link.reset();
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
    link(agent, mailbox, s);
    return s;
}

nixl_status_t Engine::disconnect(const std::string &agent) {
    std::shared_ptr<LinkTo> last; // given back without the lock
    std::lock_guard<std::mutex> lock(mutex_);
    auto peer = peers_.find(agent);
    if (peer != peers_.end()) {
        last = std::move(peer->second.link);
        peers_.erase(peer);
    }
    return NIXL_SUCCESS;
}

// Made when it is needed first, and again when it has ended. Waits.
std::shared_ptr<LinkTo> Engine::link(const std::string &agent, sluice_key &mailbox, nixl_status_t &s) const {
    std::string address;
    uint32_t gpu;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        auto found = peers_.find(agent);
        if (found == peers_.end()) {
            s = NIXL_ERR_NOT_FOUND;
            return nullptr;
        }
        mailbox = found->second.mailbox;
        if (found->second.link != nullptr && !found->second.link->ended) {
            return found->second.link;
        }
        address = found->second.address;
        gpu = found->second.gpu;
    }
    sluice_link *made = nullptr;
    int r = sluice_connect(client_, settings_.gpu, gpu, address.c_str(), settings_.timeoutMs, &made);
    if (r == SLUICE_LOST && sluice_reopen(client_, settings_.timeoutMs) == 0) {
        r = sluice_connect(client_, settings_.gpu, gpu, address.c_str(), settings_.timeoutMs, &made);
    }
    if (r < 0) {
        say("no link to agent " + agent + " at " + address + ": " + why());
        s = NIXL_ERR_BACKEND;
        return nullptr;
    }
    auto link = std::make_shared<LinkTo>(made);
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = peers_.find(agent);
    if (found != peers_.end()) {
        found->second.link = link;
    }
    return link;
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
    if (agent == localAgent) {
        for (int i = 0; i < local.descCount(); i++) {
            const uintptr_t here = local[i].addr, there = remote[i].addr;
            request->copies.push_back({request->write ? std::pair{there, here} : std::pair{here, there}, local[i].len});
        }
        handle = request.release();
        return NIXL_SUCCESS;
    }
    nixl_status_t s = NIXL_SUCCESS;
    request->to = link(agent, request->mailbox, s);
    if (request->to == nullptr) {
        return s;
    }
    for (int i = 0; i < local.descCount(); i++) {
        const auto &from = local[i];
        const auto &to = remote[i];
        const auto *here = static_cast<const LocalRegion *>(from.metadataP);
        const auto *there = static_cast<const RemoteRegion *>(to.metadataP);
        if (here == nullptr || there == nullptr || from.len != to.len || to.addr < there->begin ||
            to.addr - there->begin > there->bytes || to.len > there->bytes - (to.addr - there->begin)) {
            return NIXL_ERR_INVALID_PARAM;
        }
        const uint64_t offset = from.addr - here->begin;
        const uint64_t remoteOffset = to.addr - there->begin;
        // neighbours become one piece; the two sides' borders need not be the same
        auto &l = request->local;
        if (!l.empty() && l.back().memory == here->memory && l.back().offset + l.back().bytes == offset) {
            l.back().bytes += from.len;
        } else {
            l.push_back({here->memory, offset, from.len});
        }
        auto &r = request->remote;
        if (!r.empty() && r.back().key.high == there->key.high && r.back().key.low == there->key.low &&
            r.back().offset + r.back().bytes == remoteOffset) {
            r.back().bytes += to.len;
        } else {
            r.push_back({there->key, remoteOffset, to.len});
        }
    }
    const int p = sluice_prepare(client_, request->local.data(), static_cast<uint32_t>(request->local.size()),
                                 request->remote.data(), static_cast<uint32_t>(request->remote.size()), &request->prepared);
    if (p < 0) {
        say("a transfer of " + std::to_string(local.descCount()) + " descriptors cannot be prepared: " + why());
        return p == SLUICE_AGAIN ? NIXL_ERR_BACKEND : status(p);
    }
    request->epoch = sluice_epoch(client_);
    handle = request.release();
    return NIXL_SUCCESS;
}

nixl_status_t Engine::postXfer(const nixl_xfer_op_t &, const nixl_meta_dlist_t &, const nixl_meta_dlist_t &,
                               const std::string &, nixlBackendReqH *&handle, const nixl_opt_b_args_t *options) const {
    auto *request = static_cast<Request *>(handle);
    if (request->request != 0 || request->waiting) {
        return NIXL_ERR_REPOST_ACTIVE;
    }
    request->hasNote = options != nullptr && options->hasNotif;
    request->note = request->hasNote ? framed(options->notifMsg) : std::string();
    request->refused = false;
    if (request->note.size() > MOST_NOTE) {
        say("a notification has " + std::to_string(options->notifMsg.size()) + " bytes; the most is about 59000");
        return NIXL_ERR_INVALID_PARAM;
    }
    if (request->to == nullptr) { // within this agent
        for (const auto &[places, bytes] : request->copies) {
            std::memmove(reinterpret_cast<void *>(places.first), reinterpret_cast<const void *>(places.second), bytes);
        }
        if (request->hasNote) {
            std::lock_guard<std::mutex> lock(mutex_);
            ownNotifs_.emplace_back(localAgent, options->notifMsg);
        }
        return request->last = NIXL_SUCCESS;
    }
    if (request->epoch != sluice_epoch(client_)) { // another daemon: it knows no list of before
        request->prepared = 0;
        if (sluice_prepare(client_, request->local.data(), static_cast<uint32_t>(request->local.size()), request->remote.data(),
                           static_cast<uint32_t>(request->remote.size()), &request->prepared) < 0) {
            return NIXL_ERR_BACKEND;
        }
        request->epoch = sluice_epoch(client_);
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
                if (peer.link != nullptr && peer.link->link == event.link) {
                    peer.link->ended = true; // the next transfer makes another
                    say("the link to agent " + agent + " has ended: " + event.result.why);
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
    auto to = link(agent, mailbox, s);
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
