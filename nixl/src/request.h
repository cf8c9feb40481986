// What a handle of NIXL's stands for.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "peer.h"
#include "status.h"

namespace sluice_nixl {

// What goes over one link: a list of NIXL's may span GPUs, a request of the daemon's may not.
struct Part {
    std::shared_ptr<LinkTo> to;
    std::vector<sluice_piece> local;
    std::vector<sluice_remote_piece> remote;
    uint32_t prepared = 0;
    sluice_request request = 0;
    bool waiting = false; // to be posted: the rings were full
    nixl_status_t last = NIXL_ERR_NOT_POSTED;

    bool isUnderWay() const { return waiting || request != 0; }

    void post(bool write, const sluice_extra &extra) {
        const int s = write ? sluice_write_prepared(to->link, prepared, &extra, &request)
                            : sluice_read_prepared(to->link, prepared, &extra, &request);
        waiting = s == SLUICE_AGAIN;
        last = NIXL_IN_PROG;
        if (s < 0 && !waiting) {
            request = 0;
            last = status(s);
            say("a transfer cannot be posted: " + why());
        }
    }

    void end(int s, const char *reason) {
        request = 0;
        last = status(s);
        if (last < 0 && last != NIXL_ERR_CANCELED) {
            say(std::string("a transfer failed: ") + reason);
        }
    }
};

/*
 * What a handle stands for. Keys of the other side are copied: NIXL frees its descriptors when a peer is invalidated, also with
 * transfers under way. One thread at a time, as NIXL has it for a handle, but for its end as an orphan.
 */
class Request final : public nixlBackendReqH {
  public:
    ~Request() override {
        for (const Part &p : parts) {
            if (p.prepared != 0 && epoch == sluice_epoch(client)) { // another daemon's lists are others'
                sluice_release(client, p.prepared);
            }
        }
    }

    bool isListed() const {
        bool listed = epoch == sluice_epoch(client);
        for (const Part &p : parts) {
            listed = listed && p.prepared != 0;
        }
        return listed;
    }

    bool isActive() const { return noteDue || hasPartsUnderWay(); }

    // The end, if it has come; NIXL_IN_PROG else.
    nixl_status_t look() {
        if (!isActive()) {
            return last;
        }
        bool failed = false;
        for (Part &p : parts) {
            if (p.waiting) {
                p.post(write, extra());
            } else if (p.request != 0) {
                sluice_result result{};
                const int ended = sluice_test(client, p.request, &result);
                if (ended != 0) {
                    p.end(ended < 0 ? ended : result.status, ended < 0 ? sluice_error() : result.why);
                }
            }
            failed = failed || p.last < 0;
        }
        if (failed && !stopped) {
            giveUp(); // the others need not go on; it has ended when all of them have
        }
        return hasPartsUnderWay() ? NIXL_IN_PROG : settle();
    }

    nixl_status_t post() {
        noteDue = hasNote && parts.size() > 1;
        stopped = false;
        for (Part &p : parts) {
            p.post(write, extra());
            if (p.last < 0) {
                noteDue = false;
                giveUp();
                break;
            }
        }
        return hasPartsUnderWay() ? NIXL_IN_PROG : settle();
    }

    bool isUnderWay() { return isActive() && look() == NIXL_IN_PROG; }

    // Waits for its end, so long at the most.
    void await(int milliseconds) {
        for (Part &p : parts) {
            if (p.request != 0) {
                sluice_result result{};
                const int ended = sluice_wait(client, p.request, milliseconds, &result);
                if (ended != SLUICE_DEADLINE || result.status != SLUICE_OK) {
                    p.end(ended, result.why);
                }
            }
        }
    }

    void giveUp() {
        noteDue = false;
        stopped = true;
        for (Part &p : parts) {
            if (p.waiting) {
                p.waiting = false;
                p.last = NIXL_ERR_CANCELED;
            } else if (p.request != 0) {
                sluice_cancel(client, p.request);
            }
        }
    }

    sluice *client = nullptr;
    bool write = false;
    sluice_key mailbox{};
    std::vector<Part> parts; // none for a transfer within this agent
    std::vector<std::pair<std::pair<uintptr_t, uintptr_t>, size_t>> copies; // (to, from), bytes
    uint64_t epoch = 0;
    bool hasNote = false;
    bool noteDue = false; // of a request with several parts: when all have ended
    bool refused = false;
    bool stopped = false; // its end was asked for
    std::string note;
    nixl_status_t last = NIXL_ERR_NOT_POSTED;

  private:
    bool hasPartsUnderWay() const {
        bool underWay = false;
        for (const Part &p : parts) {
            underWay = underWay || p.isUnderWay();
        }
        return underWay;
    }

    // The daemon notifies when the bytes of a single part are in place.
    sluice_extra extra() const {
        sluice_extra e{};
        if (hasNote && parts.size() == 1) {
            e.note = note.data();
            e.note_bytes = static_cast<uint32_t>(note.size());
            e.mailbox = mailbox;
        }
        return e;
    }

    // Nothing is under way any more.
    nixl_status_t settle() {
        last = NIXL_SUCCESS;
        for (const Part &p : parts) {
            if (p.last < 0 && (last == NIXL_SUCCESS || last == NIXL_ERR_CANCELED)) {
                last = p.last;
            }
        }
        if (noteDue && last == NIXL_SUCCESS) {
            const int s = sluice_notify(parts.front().to->link, mailbox, note.data(), static_cast<uint32_t>(note.size()), nullptr);
            if (s == SLUICE_AGAIN) {
                return NIXL_IN_PROG;
            }
            if (s < 0) {
                say("a notification cannot be sent: " + why());
                last = status(s);
            }
        }
        noteDue = false;
        return last;
    }
};

} // namespace sluice_nixl
