// NIXL's backend SLUICE: transfers by the Sluice daemon of this host. See docs/nixl.md.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend_engine.h"
#include "sluice.h"

namespace sluice_nixl {

struct Settings {
    std::string socket;   // of the daemon here; empty for its usual place
    std::string address;  // where other hosts' daemons reach the one here
    uint32_t gpu = 0;     // of the daemon, that host memory and its links belong to
    int timeoutMs = 30000;

    // What createBackend was given, else SLUICE_NIXL_<NAME>, else the default.
    static Settings of(const nixl_b_params_t *params);
    static const nixl_b_params_t &defaults();
};

struct LinkTo;
struct Peer;
class Request;
using GpuPair = std::pair<uint32_t, uint32_t>; // of the daemon here, of the peer's

// NIXL may call everything from any thread, whatever its sync mode says.
class Engine final : public nixlBackendEngine {
  public:
    explicit Engine(const nixlBackendInitParams *params);
    ~Engine() override;

    bool supportsRemote() const override { return true; }
    bool supportsLocal() const override { return true; }
    bool supportsNotif() const override { return true; }
    nixl_mem_list_t getSupportedMems() const override; // what the daemon serves

    nixl_status_t registerMem(const nixlBlobDesc &mem, const nixl_mem_t &kind, nixlBackendMD *&out) override;
    nixl_status_t deregisterMem(nixlBackendMD *meta) override;
    nixl_status_t connect(const std::string &agent) override;
    nixl_status_t disconnect(const std::string &agent) override;
    nixl_status_t unloadMD(nixlBackendMD *input) override;
    nixl_status_t prepXfer(const nixl_xfer_op_t &operation, const nixl_meta_dlist_t &local, const nixl_meta_dlist_t &remote,
                           const std::string &agent, nixlBackendReqH *&handle, const nixl_opt_b_args_t *options) const override;
    nixl_status_t postXfer(const nixl_xfer_op_t &operation, const nixl_meta_dlist_t &local, const nixl_meta_dlist_t &remote,
                           const std::string &agent, nixlBackendReqH *&handle, const nixl_opt_b_args_t *options) const override;
    nixl_status_t checkXfer(nixlBackendReqH *handle) const override;
    nixl_status_t releaseReqH(nixlBackendReqH *handle) const override;

    nixl_status_t getPublicData(const nixlBackendMD *meta, std::string &str) const override;
    nixl_status_t getConnInfo(std::string &str) const override;
    nixl_status_t loadRemoteConnInfo(const std::string &agent, const std::string &info) override;
    nixl_status_t loadRemoteMD(const nixlBlobDesc &input, const nixl_mem_t &kind, const std::string &agent,
                               nixlBackendMD *&output) override;
    nixl_status_t loadLocalMD(nixlBackendMD *input, nixlBackendMD *&output) override;
    nixl_status_t getNotifs(notif_list_t &list) override;
    nixl_status_t genNotif(const std::string &agent, const std::string &message) const override;

  private:
    std::shared_ptr<LinkTo> link(const std::string &agent, const GpuPair *gpus, sluice_key &mailbox, nixl_status_t &status) const;
    nixl_status_t prepare(Request &request, const nixl_meta_dlist_t &local, const nixl_meta_dlist_t &remote,
                          const std::string &agent) const;
    nixl_status_t list(Request &request) const;
    void reap() const;
    std::string framed(const std::string &message) const;

    Settings settings_;
    sluice *client_ = nullptr;
    mutable std::mutex mutex_; // of what follows
    mutable std::map<std::string, Peer> peers_;
    mutable std::vector<std::unique_ptr<Request>> orphans_; // released while under way: they end by themselves
    mutable notif_list_t ownNotifs_;                        // to this agent itself
};

} // namespace sluice_nixl
