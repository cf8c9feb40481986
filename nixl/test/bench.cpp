// Two agents of a real NIXL in two processes, over any of its backends: rates, and every byte that was written is read back and compared.
//   bench target FOLDER BACKEND                       registers memory, and stays until FOLDER/stop is there
//   bench initiator FOLDER BACKEND SECONDS [UNDER_WAY]  WRITE and READ of 64 MiB, 4096 x 16 KiB in random order, and 8 B, so long each
// The two find each other's metadata in FOLDER. What a backend has to know it has from its environment.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "check.h"
#include "nixl.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t SIZE = 128u << 20; // of a region; the initiator has a second one to read back into

void publish(const std::string &path, const std::string &bytes) {
    std::ofstream(path + ".new", std::ios::binary) << bytes;
    CHECK(std::rename((path + ".new").c_str(), path.c_str()) == 0);
}

std::string await(const std::string &path) {
    const auto end = Clock::now() + std::chrono::seconds(60);
    while (access(path.c_str(), R_OK) != 0) {
        CHECK(Clock::now() < end);
        usleep(10000);
    }
    std::ifstream in(path, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

struct Region {
    Region(nixlAgent &agent, int fill) {
        memory = static_cast<unsigned char *>(mmap(nullptr, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(memory != MAP_FAILED);
        std::memset(memory, fill, SIZE);
        nixl_reg_dlist_t all(DRAM_SEG);
        all.addDesc(nixlBlobDesc(reinterpret_cast<uintptr_t>(memory), SIZE, 0, ""));
        OK(agent.registerMem(all));
    }
    unsigned char *memory;
};

int target(nixlAgent &agent, const std::string &folder) {
    Region region(agent, 0x11);
    nixl_blob_t about;
    OK(agent.getLocalMD(about));
    const auto at = reinterpret_cast<uintptr_t>(region.memory);
    publish(folder + "/target", std::string(reinterpret_cast<const char *>(&at), sizeof at) + about);
    std::string name;
    OK(agent.loadRemoteMD(await(folder + "/initiator"), name));
    size_t notes = 0;
    while (access((folder + "/stop").c_str(), F_OK) != 0) {
        nixl_notifs_t all;
        OK(agent.getNotifs(all));
        for (const auto &note : all["initiator"]) {
            CHECK(note == "note " + std::to_string(notes)); // in order
            notes++;
        }
        usleep(2000);
    }
    std::printf("{\"notes\":%zu}\n", notes);
    return 0;
}

struct Lists {
    std::vector<size_t> here, there;
    size_t bytes;
};

Lists whole(size_t bytes) { return {{0}, {0}, bytes}; }

// Blocks at places in random order at both sides, none next to another.
Lists scattered(size_t count, size_t bytes) {
    std::mt19937 random(7);
    std::vector<size_t> places(SIZE / (2 * bytes));
    std::iota(places.begin(), places.end(), 0);
    for (auto &p : places) p *= 2 * bytes;
    Lists all{{}, {}, bytes};
    std::shuffle(places.begin(), places.end(), random);
    all.here.assign(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count));
    std::shuffle(places.begin(), places.end(), random);
    all.there.assign(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count));
    return all;
}

nixl_xfer_dlist_t list(uintptr_t at, const std::vector<size_t> &places, size_t bytes) {
    nixl_xfer_dlist_t all(DRAM_SEG);
    for (const size_t p : places) all.addDesc(nixlBasicDesc(at + p, bytes, 0));
    return all;
}

void end(nixlAgent &agent, nixlXferReqH *request) {
    nixl_status_t s;
    while ((s = agent.getXferStatus(request)) == NIXL_IN_PROG) std::this_thread::yield();
    OK(s);
}

nixlXferReqH *request(nixlAgent &agent, nixl_xfer_op_t op, const Lists &of, const Region &here, uintptr_t there) {
    nixlXferReqH *made = nullptr;
    OK(agent.createXferReq(op, list(reinterpret_cast<uintptr_t>(here.memory), of.here, of.bytes), list(there, of.there, of.bytes),
                           "target", made));
    return made;
}

void run(nixlAgent &agent, nixlXferReqH *made) {
    const nixl_status_t s = agent.postXferReq(made);
    if (s != NIXL_SUCCESS && s != NIXL_IN_PROG) fail("postXferReq", __LINE__, s);
    end(agent, made);
}

void measure(nixlAgent &agent, const char *backend, const char *what, const Lists &of, Region &from, Region &back, uintptr_t there,
             double seconds, size_t underWay) {
    static unsigned seed = 0;
    seed++;
    for (size_t i = 0; i + 8 <= SIZE; i += 8) {
        const uint64_t v = (i + seed) * 0x9e3779b97f4a7c15ull;
        std::memcpy(from.memory + i, &v, 8);
    }
    for (const nixl_xfer_op_t op : {NIXL_WRITE, NIXL_READ}) {
        Region &here = op == NIXL_WRITE ? from : back;
        std::vector<nixlXferReqH *> all;
        for (size_t i = 0; i < underWay; i++) all.push_back(request(agent, op, of, here, there));
        run(agent, all[0]); // warm
        std::vector<double> took;
        size_t posts = 0;
        const auto begin = Clock::now();
        std::vector<Clock::time_point> posted(underWay, begin);
        auto post = [&](size_t i) {
            posted[i] = Clock::now();
            const nixl_status_t s = agent.postXferReq(all[i]);
            if (s != NIXL_SUCCESS && s != NIXL_IN_PROG) fail("postXferReq", __LINE__, s);
            posts++;
        };
        for (size_t i = 0; i < underWay; i++) post(i);
        size_t open = underWay;
        for (size_t i = 0; open > 0; i = (i + 1) % underWay) {
            if (all[i] == nullptr) continue;
            const nixl_status_t s = agent.getXferStatus(all[i]);
            if (s == NIXL_IN_PROG) continue;
            OK(s);
            const auto now = Clock::now();
            took.push_back(std::chrono::duration<double>(now - posted[i]).count());
            if (std::chrono::duration<double>(now - begin).count() < seconds) {
                post(i);
            } else {
                OK(agent.releaseXferReq(all[i]));
                all[i] = nullptr;
                open--;
            }
        }
        const double time = std::chrono::duration<double>(Clock::now() - begin).count();
        std::sort(took.begin(), took.end());
        const double moved = static_cast<double>(of.bytes * of.here.size()) * static_cast<double>(posts);
        std::printf("{\"backend\":\"%s\",\"what\":\"%s\",\"op\":\"%s\",\"under_way\":%zu,\"posts\":%zu,\"gbs\":%.4f,\"p50_us\":%.1f}\n",
                    backend, what, op == NIXL_WRITE ? "WRITE" : "READ", underWay, posts, moved / time / 1e9,
                    took[took.size() / 2] * 1e6);
        std::fflush(stdout);
    }
    // what was written came back by the reads, block by block
    for (const size_t p : of.here) CHECK(std::memcmp(from.memory + p, back.memory + p, of.bytes) == 0);
    std::memset(back.memory, 0, SIZE);
}

int initiator(nixlAgent &agent, const std::string &folder, const char *backend, double seconds, size_t underWay) {
    Region from(agent, 0x22), back(agent, 0);
    nixl_blob_t about;
    OK(agent.getLocalMD(about));
    publish(folder + "/initiator", about);
    const std::string all = await(folder + "/target");
    uintptr_t there;
    std::memcpy(&there, all.data(), sizeof there);
    std::string name;
    OK(agent.loadRemoteMD(all.substr(sizeof there), name));
    CHECK(name == "target");
    measure(agent, backend, "64 MiB", whole(64u << 20), from, back, there, seconds, underWay);
    measure(agent, backend, "4096 x 16 KiB", scattered(4096, 16u << 10), from, back, there, seconds, underWay);
    measure(agent, backend, "8 B", whole(8), from, back, there, seconds, 1);
    { // notifications with transfers, in order
        nixlXferReqH *r = request(agent, NIXL_WRITE, whole(4096), from, there);
        for (int i = 0; i < 100; i++) {
            nixl_opt_args_t extra;
            extra.hasNotif = true;
            extra.notifMsg = "note " + std::to_string(i);
            const nixl_status_t s = agent.postXferReq(r, &extra);
            CHECK(s == NIXL_SUCCESS || s == NIXL_IN_PROG);
            end(agent, r);
        }
        OK(agent.releaseXferReq(r));
    }
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc >= 4);
    const std::string role = argv[1];
    nixlAgent agent(role, nixlAgentConfig(true));
    nixl_b_params_t none;
    nixlBackendH *backend = nullptr;
    OK(agent.createBackend(argv[3], none, backend));
    if (role == "target") return target(agent, argv[2]);
    CHECK(argc >= 5);
    return initiator(agent, argv[2], argv[3], std::atof(argv[4]), argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 1);
}
