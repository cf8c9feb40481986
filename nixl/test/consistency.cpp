// Two agents of a real NIXL, each with a daemon of its own, over the backend SLUICE: every byte is compared.
//   consistency SOCKET_A ADDRESS_A SOCKET_B ADDRESS_B
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "nixl.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char *what, int line, long status) {
    std::fprintf(stderr, "consistency: line %d: %s: status %ld\n", line, what, status);
    std::_Exit(1);
}

#define OK(call)                                                                                                                        \
    do {                                                                                                                                \
        const long s_ = static_cast<long>(call);                                                                                        \
        if (s_ != NIXL_SUCCESS) fail(#call, __LINE__, s_);                                                                              \
    } while (0)
#define CHECK(condition)                                                                                                                \
    do {                                                                                                                                \
        if (!(condition)) fail(#condition, __LINE__, 0);                                                                                \
    } while (0)

struct Side {
    Side(const std::string &name, const std::string &socket, const std::string &address, size_t bytes)
        : agent(name, nixlAgentConfig(false)), size(bytes) {
        OK(agent.createBackend("SLUICE", {{"socket", socket}, {"address", address}}, backend));
        memory = static_cast<unsigned char *>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(memory != MAP_FAILED);
        std::memset(memory, 0x5a, size); // bytes of before are there after
        nixl_reg_dlist_t all(DRAM_SEG);
        all.addDesc(nixlBlobDesc(reinterpret_cast<uintptr_t>(memory), size, 0, ""));
        OK(agent.registerMem(all));
        for (size_t i = 0; i < size; i += 4097) CHECK(memory[i] == 0x5a);
    }

    nixl_xfer_dlist_t range(size_t offset, size_t bytes, size_t count, size_t stride) const {
        nixl_xfer_dlist_t list(DRAM_SEG);
        for (size_t i = 0; i < count; i++) {
            list.addDesc(nixlBasicDesc(reinterpret_cast<uintptr_t>(memory) + offset + i * stride, bytes, 0));
        }
        return list;
    }

    void fill(unsigned seed) {
        for (size_t i = 0; i + 8 <= size; i += 8) {
            const uint64_t v = (i + seed) * 0x9e3779b97f4a7c15ull;
            std::memcpy(memory + i, &v, 8);
        }
    }

    nixlAgent agent;
    nixlBackendH *backend = nullptr;
    unsigned char *memory = nullptr;
    size_t size;
};

void finish(nixlAgent &agent, nixlXferReqH *request) {
    const auto end = Clock::now() + std::chrono::seconds(60);
    nixl_status_t s;
    while ((s = agent.getXferStatus(request)) == NIXL_IN_PROG) {
        CHECK(Clock::now() < end);
        std::this_thread::yield();
    }
    OK(s);
}

void run(nixlAgent &agent, nixlXferReqH *request) {
    const nixl_status_t s = agent.postXferReq(request);
    if (s != NIXL_SUCCESS && s != NIXL_IN_PROG) fail("postXferReq", __LINE__, s);
    finish(agent, request);
}

// Notifications of an agent, waited for until there are so many.
std::vector<std::string> notes(nixlAgent &agent, const std::string &from, size_t count) {
    const auto end = Clock::now() + std::chrono::seconds(30);
    std::vector<std::string> got;
    while (got.size() < count) {
        nixl_notifs_t all;
        OK(agent.getNotifs(all));
        for (auto &n : all[from]) got.push_back(n);
        CHECK(Clock::now() < end);
    }
    return got;
}

void compare(const Side &one, const Side &other, size_t bytes, size_t count, size_t stride) {
    for (size_t i = 0; i < count; i++) CHECK(std::memcmp(one.memory + i * stride, other.memory + i * stride, bytes) == 0);
}

void move(Side &a, Side &b, nixl_xfer_op_t op, size_t bytes, size_t count, size_t stride, const char *what) {
    a.fill(1 + static_cast<unsigned>(count));
    b.fill(7 + static_cast<unsigned>(op));
    nixlXferReqH *request = nullptr;
    nixl_opt_args_t extra;
    extra.notifMsg = std::string("moved ") + what;
    extra.hasNotif = true;
    OK(a.agent.createXferReq(op, a.range(0, bytes, count, stride), b.range(0, bytes, count, stride), "b", request, &extra));
    const auto begin = Clock::now();
    const nixl_status_t s = a.agent.postXferReq(request, &extra);
    CHECK(s == NIXL_IN_PROG || s == NIXL_SUCCESS);
    finish(a.agent, request);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    CHECK(notes(b.agent, "a", 1).front() == extra.notifMsg); // a READ's notification goes to the target too
    compare(a, b, bytes, count, stride);
    OK(a.agent.releaseXferReq(request));
    std::printf("%-28s %8.3f GB/s\n", what, static_cast<double>(bytes * count) / seconds / 1e9);
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 5);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const size_t size = 128u << 20;
    Side a("a", argv[1], argv[2], size);
    Side b("b", argv[3], argv[4], size);
    nixl_blob_t about;
    std::string name;
    OK(b.agent.getLocalMD(about));
    OK(a.agent.loadRemoteMD(about, name));
    CHECK(name == "b");
    OK(a.agent.getLocalMD(about));
    OK(b.agent.loadRemoteMD(about, name));
    CHECK(name == "a");

    move(a, b, NIXL_WRITE, 64u << 20, 1, 0, "WRITE 64 MiB");
    move(a, b, NIXL_READ, 64u << 20, 1, 0, "READ 64 MiB");
    move(a, b, NIXL_WRITE, 16u << 10, 4096, 24u << 10, "WRITE 4096 x 16 KiB");
    move(a, b, NIXL_READ, 16u << 10, 4096, 24u << 10, "READ 4096 x 16 KiB");
    move(a, b, NIXL_WRITE, 8, 1, 0, "WRITE 8 B");

    { // prepared lists, by a selection of their indices, posted again and again, notifications in order
        nixlDlistH *here = nullptr, *there = nullptr;
        OK(a.agent.prepXferDlist(NIXL_INIT_AGENT, a.range(0, 4096, 64, 8192), here));
        OK(a.agent.prepXferDlist("b", b.range(0, 4096, 64, 8192), there));
        nixlXferReqH *request = nullptr;
        const std::vector<int> even = {0, 2, 4, 60}, odd = {1, 3, 5, 61};
        OK(a.agent.makeXferReq(NIXL_WRITE, here, even, there, odd, request));
        for (int round = 0; round < 100; round++) {
            a.memory[0] = static_cast<unsigned char>(round);
            nixl_opt_args_t extra;
            extra.notifMsg = "round " + std::to_string(round);
            extra.hasNotif = true;
            const nixl_status_t s = a.agent.postXferReq(request, &extra);
            CHECK(s == NIXL_IN_PROG || s == NIXL_SUCCESS);
            finish(a.agent, request);
            CHECK(b.memory[8192] == round); // block 1 there is block 0 here
        }
        const auto got = notes(b.agent, "a", 100);
        for (int round = 0; round < 100; round++) CHECK(got[static_cast<size_t>(round)] == "round " + std::to_string(round));
        OK(a.agent.releaseXferReq(request));
        OK(a.agent.releasedDlistH(here));
        OK(a.agent.releasedDlistH(there));
    }
    { // notifications alone, an empty one among them, both ways, and to oneself
        OK(a.agent.genNotif("b", "one"));
        OK(a.agent.genNotif("b", ""));
        OK(b.agent.genNotif("a", std::string("z\0ero", 5)));
        const auto got = notes(b.agent, "a", 2);
        CHECK(got[0] == "one" && got[1].empty());
        CHECK(notes(a.agent, "b", 1)[0] == std::string("z\0ero", 5));
    }
    { // within an agent
        nixlXferReqH *request = nullptr;
        OK(a.agent.createXferReq(NIXL_WRITE, a.range(0, 1u << 20, 1, 0), a.range(32u << 20, 1u << 20, 1, 0), "a", request));
        run(a.agent, request);
        CHECK(std::memcmp(a.memory, a.memory + (32u << 20), 1u << 20) == 0);
        OK(a.agent.releaseXferReq(request));
    }
    for (int round = 0; round < 50; round++) { // released while it is under way: nothing lands after it was said to be released
        a.fill(1000 + static_cast<unsigned>(round));
        nixlXferReqH *request = nullptr;
        OK(a.agent.createXferReq(NIXL_READ, a.range(0, 64u << 20, 1, 0), b.range(0, 64u << 20, 1, 0), "b", request));
        const nixl_status_t s = a.agent.postXferReq(request);
        CHECK(s == NIXL_IN_PROG || s == NIXL_SUCCESS);
        const auto begin = Clock::now();
        nixl_status_t released = a.agent.releaseXferReq(request);
        CHECK(Clock::now() - begin < std::chrono::seconds(2)); // it does not wait for the transfer
        const auto end = Clock::now() + std::chrono::seconds(30);
        while (released != NIXL_SUCCESS) {
            CHECK(Clock::now() < end);
            while (a.agent.getXferStatus(request) == NIXL_IN_PROG) CHECK(Clock::now() < end);
            released = a.agent.releaseXferReq(request);
        }
        if (round % 10 == 0) {
            std::memset(a.memory, 0xee, 64u << 20);
            std::this_thread::sleep_for(std::chrono::milliseconds(50)); // what would land late has its chance
            for (size_t i = 0; i < (64u << 20); i += 512) CHECK(a.memory[i] == 0xee);
        }
    }
    { // threads, whatever the sync mode says
        std::vector<std::thread> threads;
        for (size_t t = 0; t < 4; t++) {
            threads.emplace_back([&, t] {
                for (int round = 0; round < 50; round++) {
                    nixlXferReqH *request = nullptr;
                    OK(a.agent.createXferReq(NIXL_WRITE, a.range(t << 20, 65536, 1, 0), b.range(t << 20, 65536, 1, 0), "b", request));
                    run(a.agent, request);
                    OK(a.agent.releaseXferReq(request));
                }
            });
        }
        for (auto &t : threads) t.join();
        for (size_t t = 0; t < 4; t++) CHECK(std::memcmp(a.memory + (t << 20), b.memory + (t << 20), 65536) == 0);
    }
    { // memory that cannot be shared is refused, and said why
        int small = 0;
        nixl_reg_dlist_t stack(DRAM_SEG);
        stack.addDesc(nixlBlobDesc(reinterpret_cast<uintptr_t>(&small), sizeof small, 0, ""));
        CHECK(a.agent.registerMem(stack) != NIXL_SUCCESS);
    }
    { // the peer is forgotten, and known again
        OK(a.agent.invalidateRemoteMD("b"));
        OK(b.agent.getLocalMD(about));
        OK(a.agent.loadRemoteMD(about, name));
        move(a, b, NIXL_WRITE, 1u << 20, 1, 0, "WRITE 1 MiB, known again");
    }
    nixl_reg_dlist_t all(DRAM_SEG);
    all.addDesc(nixlBlobDesc(reinterpret_cast<uintptr_t>(b.memory), b.size, 0, ""));
    OK(b.agent.deregisterMem(all));
    std::puts("consistency: all as it should be");
    return 0;
}
