// Two agents of a real NIXL over the backend SLUICE, each with a daemon of its own or both with the same: every byte is compared.
//   consistency SOCKET_A ADDRESS_A SOCKET_B ADDRESS_B [DRAM|VRAM]
// VRAM is what cuMemAlloc gives, by the driver that SLUICE_CUDA_LIBRARY names, else libcuda.so.1.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <csignal>
#include <dlfcn.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <thread>
#include <vector>

#include "check.h"
#include "nixl.h"

namespace {

using Clock = std::chrono::steady_clock;

nixl_mem_t kind = DRAM_SEG;

// The few calls of a CUDA driver that the program needs to have GPU memory of its own.
class Driver {
  public:
    Driver() {
        const char *told = std::getenv("SLUICE_CUDA_LIBRARY");
        void *library = dlopen(told != nullptr && *told != 0 ? told : "libcuda.so.1", RTLD_NOW);
        if (library == nullptr) {
            fail(dlerror(), __LINE__, 0);
        }
        int device = 0;
        void *context = nullptr;
        OK(function<int(unsigned)>(library, "cuInit")(0));
        OK(function<int(int *, int)>(library, "cuDeviceGet")(&device, 0));
        OK(function<int(void **, int)>(library, "cuDevicePrimaryCtxRetain")(&context, device));
        OK(function<int(void *)>(library, "cuCtxSetCurrent")(context));
        allocate = function<int(uint64_t *, size_t)>(library, "cuMemAlloc_v2");
        toDevice = function<int(uint64_t, const void *, size_t)>(library, "cuMemcpyHtoD_v2");
        toHost = function<int(void *, uint64_t, size_t)>(library, "cuMemcpyDtoH_v2");
    }

    int (*allocate)(uint64_t *, size_t);
    int (*toDevice)(uint64_t, const void *, size_t);
    int (*toHost)(void *, uint64_t, size_t);

  private:
    template <typename F> static F *function(void *library, const char *name) {
        void *symbol = dlsym(library, name);
        CHECK(symbol != nullptr);
        return reinterpret_cast<F *>(symbol);
    }
};

Driver &driver() {
    static Driver d;
    return d;
}

// An agent with one region. 'memory' is the region itself, or of GPU memory a copy that put() and take() keep.
struct Side {
    Side(const std::string &name, const std::string &socket, const std::string &address, size_t bytes)
        : agent(name, nixlAgentConfig(false)), size(bytes) {
        OK(agent.createBackend("SLUICE", {{"socket", socket}, {"address", address}}, backend));
        memory = static_cast<unsigned char *>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(memory != MAP_FAILED);
        std::memset(memory, 0x5a, size); // bytes of before are there after
        begin = reinterpret_cast<uintptr_t>(memory);
        if (kind == VRAM_SEG) {
            OK(driver().allocate(&begin, size));
            put();
        }
        nixl_reg_dlist_t all(kind);
        all.addDesc(nixlBlobDesc(begin, size, 0, ""));
        OK(agent.registerMem(all));
        take();
        for (size_t i = 0; i < size; i += 4097) CHECK(memory[i] == 0x5a);
    }

    nixl_xfer_dlist_t range(size_t offset, size_t bytes, size_t count, size_t stride) const {
        nixl_xfer_dlist_t list(kind);
        for (size_t i = 0; i < count; i++) {
            list.addDesc(nixlBasicDesc(begin + offset + i * stride, bytes, 0));
        }
        return list;
    }

    void put() const {
        if (kind == VRAM_SEG) OK(driver().toDevice(begin, memory, size));
    }

    void take() const {
        if (kind == VRAM_SEG) OK(driver().toHost(memory, begin, size));
    }

    void fill(unsigned seed) {
        for (size_t i = 0; i + 8 <= size; i += 8) {
            const uint64_t v = (i + seed) * 0x9e3779b97f4a7c15ull;
            std::memcpy(memory + i, &v, 8);
        }
        put();
    }

    nixlAgent agent;
    nixlBackendH *backend = nullptr;
    unsigned char *memory = nullptr;
    uint64_t begin = 0;
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
    one.take();
    other.take();
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

constexpr size_t MORTAL = 64u << 20;

// A blob as one line, and back.
std::string hex(const std::string &bytes) {
    std::string text;
    for (const char c : bytes) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
        text += two;
    }
    return text;
}

std::string bytes(const std::string &text) {
    std::string all;
    for (size_t i = 0; i + 1 < text.size(); i += 2) all += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    return all;
}

// The agent that is killed: tells where its memory is and its metadata, and waits for its end.
int mortal(const char *socket, const char *address, const char *memory) {
    kind = std::strcmp(memory, "VRAM") == 0 ? VRAM_SEG : DRAM_SEG;
    Side c("c", socket, address, MORTAL);
    nixl_blob_t about;
    OK(c.agent.getLocalMD(about));
    std::printf("%llx %s\n", static_cast<unsigned long long>(c.begin), hex(about).c_str());
    std::fflush(stdout);
    pause();
    return 0;
}

struct Process {
    pid_t pid;
    uint64_t begin;
    std::string metadata;
};

Process spawn(const char *socket, const char *address) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const char *memory = kind == VRAM_SEG ? "VRAM" : "DRAM";
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl("/proc/self/exe", "consistency", "mortal", socket, address, memory, nullptr);
        std::_Exit(127);
    }
    close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    char *line = nullptr;
    size_t room = 0;
    const ssize_t n = getline(&line, &room, said);
    CHECK(n > 1);
    const std::string text(line, static_cast<size_t>(n - 1));
    std::free(line);
    std::fclose(said);
    const size_t space = text.find(' ');
    CHECK(space != std::string::npos);
    return {pid, std::stoull(text.substr(0, space), nullptr, 16), bytes(text.substr(space + 1))};
}

// An agent is killed with transfers to it under way: they end, and one that comes after it under the same name is reached.
void death(Side &a, const char *socket, const char *address) {
    double slowest = 0, refused = 0;
    for (int round = 0; round < 5; round++) {
        const Process c = spawn(socket, address);
        std::string name;
        OK(a.agent.loadRemoteMD(c.metadata, name));
        CHECK(name == "c");
        nixlXferReqH *request = nullptr;
        nixl_xfer_dlist_t there(kind);
        there.addDesc(nixlBasicDesc(c.begin, MORTAL, 0));
        OK(a.agent.createXferReq(round % 2 == 0 ? NIXL_WRITE : NIXL_READ, a.range(0, MORTAL, 1, 0), there, "c", request));
        run(a.agent, request); // once with it alive
        nixl_status_t s = a.agent.postXferReq(request);
        CHECK(s == NIXL_IN_PROG || s == NIXL_SUCCESS);
        std::this_thread::sleep_for(std::chrono::milliseconds(round * 3)); // at some moment of it
        CHECK(kill(c.pid, SIGKILL) == 0);
        const auto killed = Clock::now();
        CHECK(waitpid(c.pid, nullptr, 0) == c.pid);
        while ((s = a.agent.getXferStatus(request)) == NIXL_IN_PROG) CHECK(Clock::now() - killed < std::chrono::seconds(30));
        slowest = std::max(slowest, std::chrono::duration<double>(Clock::now() - killed).count());
        CHECK(s == NIXL_SUCCESS || s != NIXL_ERR_REMOTE_DISCONNECT);
        do { // its keys are withdrawn as soon as its daemon has seen its end
            s = a.agent.postXferReq(request);
            while (s == NIXL_IN_PROG) {
                CHECK(Clock::now() - killed < std::chrono::seconds(30));
                s = a.agent.getXferStatus(request);
            }
        } while (s == NIXL_SUCCESS && Clock::now() - killed < std::chrono::seconds(30));
        CHECK(s < 0);
        refused = std::max(refused, std::chrono::duration<double>(Clock::now() - killed).count());
        OK(a.agent.releaseXferReq(request));
        OK(a.agent.invalidateRemoteMD("c"));
    }
    std::printf("agent killed, 5 rounds: what was under way ended within %.0f ms, its memory was refused within %.0f ms\n", slowest * 1000,
                refused * 1000);
}

} // namespace

int main(int argc, char **argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (argc == 5 && std::strcmp(argv[1], "mortal") == 0) return mortal(argv[2], argv[3], argv[4]);
    CHECK(argc == 5 || argc == 6);
    kind = argc == 6 && std::strcmp(argv[5], "VRAM") == 0 ? VRAM_SEG : DRAM_SEG;
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
            std::memset(a.memory, round, 64);
            a.put();
            nixl_opt_args_t extra;
            extra.notifMsg = "round " + std::to_string(round);
            extra.hasNotif = true;
            const nixl_status_t s = a.agent.postXferReq(request, &extra);
            CHECK(s == NIXL_IN_PROG || s == NIXL_SUCCESS);
            finish(a.agent, request);
            b.take();
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
        a.take();
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
            a.put();
            std::this_thread::sleep_for(std::chrono::milliseconds(50)); // what would land late has its chance
            a.take();
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
        a.take();
        b.take();
        for (size_t t = 0; t < 4; t++) CHECK(std::memcmp(a.memory + (t << 20), b.memory + (t << 20), 65536) == 0);
    }
    { // memory that cannot be shared is refused, and said why
        int small = 0;
        nixl_reg_dlist_t stack(kind);
        stack.addDesc(nixlBlobDesc(reinterpret_cast<uintptr_t>(&small), sizeof small, 0, ""));
        CHECK(a.agent.registerMem(stack) != NIXL_SUCCESS);
    }
    { // the peer is forgotten, and known again
        OK(a.agent.invalidateRemoteMD("b"));
        OK(b.agent.getLocalMD(about));
        OK(a.agent.loadRemoteMD(about, name));
        move(a, b, NIXL_WRITE, 1u << 20, 1, 0, "WRITE 1 MiB, known again");
    }
    death(a, argv[3], argv[4]);
    move(a, b, NIXL_WRITE, 1u << 20, 1, 0, "WRITE 1 MiB, after deaths");
    nixl_reg_dlist_t all(kind);
    all.addDesc(nixlBlobDesc(b.begin, b.size, 0, ""));
    OK(b.agent.deregisterMem(all));
    std::puts("consistency: all as it should be");
    return 0;
}
