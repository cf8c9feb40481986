// What GPU-to-GPU over kernel TCP can give on a host, with no engine around it: sockets that carry fixed chunks between pinned slots,
// and the copies to and from them. The bound that Sluice is compared with; it knows no messages, no grants, no verification of
// single chunks. The receiver compares all bytes at the end.
//
//   ceiling server|client port=P sockets=N chunk=BYTES slots=S seconds=T calls=agent|agents|threads gpu=G duplex=0|1
//
// calls=agent: one thread a side makes every CUDA call, on one stream a direction; agents: one a direction. calls=threads: each
// socket thread makes its own.
// The client sends; with duplex=1 the server does too, at the same time over sockets of its own, and each side reports what it got.

#include <arpa/inet.h>
#include <cuda_runtime.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

static void check(cudaError_t e, const char *what) {
    if (e != cudaSuccess) {
        fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(e));
        exit(1);
    }
}

static void checkSystem(long result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Options {
    bool server = false, agent = true, twoAgents = false, duplex = false;
    int port = 26000, sockets = 16, slots = 4, gpu = 0;
    size_t chunk = 1 << 20;
    double time = 3;
};

constexpr size_t MEMORY = size_t{1} << 30;

// The byte at an offset, the same on both sides: wrong places show.
__device__ __host__ static uint32_t word(size_t index) { return static_cast<uint32_t>(index * 2654435761u ^ (index >> 20)); }

__global__ void fillWords(uint32_t *words, size_t n) {
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < n; i += size_t{gridDim.x} * blockDim.x) words[i] = word(i);
}

__global__ void countWrong(const uint32_t *words, size_t from, size_t n, unsigned long long *wrong) {
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < n; i += size_t{gridDim.x} * blockDim.x)
        if (words[from + i] != word(from + i)) atomicAdd(wrong, 1ull);
}

// One socket's pipeline. Steps count up for ever; slot = step % slots. A step is copied and then sent, or received and then copied.
struct alignas(128) Lane {
    alignas(128) std::atomic<long> first{0}; // steps through the first half (copy out, or receive)
    alignas(128) std::atomic<long> second{0}; // and through the second (send, or copy in)
    alignas(128) long issued = 0;
    int fd = -1;
    char *pinned = nullptr;
    cudaStream_t stream{};
    std::vector<cudaEvent_t> events;
    size_t base = 0, span = 0;
};

// One direction of a process: all lanes of it, with memory of their own.
struct Half {
    const Options &o;
    const bool sends;
    char *memory = nullptr;
    std::vector<Lane> lanes;
    std::atomic<bool> stop{false};
    std::atomic<int> live{0};
    std::vector<std::thread> threads;
    double start = 0, took = 0;

    Half(const Options &options, bool sends) : o(options), sends(sends) {}

    char *slot(Lane &l, long step) { return l.pinned + (step % o.slots) * o.chunk; }
    char *place(Lane &l, long step) { return memory + l.base + (step * o.chunk) % l.span; }

    void issue(Lane &l, cudaMemcpyKind kind) {
        long step = l.issued++;
        void *to = kind == cudaMemcpyDeviceToHost ? slot(l, step) : place(l, step);
        void *from = kind == cudaMemcpyDeviceToHost ? place(l, step) : slot(l, step);
        check(cudaMemcpyAsync(to, from, o.chunk, kind, l.stream), "copy");
        check(cudaEventRecord(l.events[step % o.slots], l.stream), "event");
    }

    bool passed(Lane &l, long step) {
        cudaError_t e = cudaEventQuery(l.events[step % o.slots]);
        if (e != cudaErrorNotReady) check(e, "query");
        return e == cudaSuccess;
    }

    bool sendChunk(Lane &l, long step) {
        for (size_t at = 0; at < o.chunk;) {
            ssize_t n = send(l.fd, slot(l, step) + at, o.chunk - at, MSG_NOSIGNAL);
            if (n <= 0) return false;
            at += n;
        }
        return true;
    }

    bool receiveChunk(Lane &l, long step) {
        for (size_t at = 0; at < o.chunk;) {
            ssize_t n = recv(l.fd, slot(l, step) + at, o.chunk - at, MSG_WAITALL);
            if (n <= 0) return false;
            at += n;
        }
        return true;
    }

    // ---- one agent makes the CUDA calls ----

    void sender(Lane &l) {
        for (long step = 0;; step++) {
            while (l.first.load(std::memory_order_acquire) <= step) {
                if (stop) {
                    shutdown(l.fd, SHUT_WR);
                    return;
                }
                std::this_thread::yield();
            }
            if (!sendChunk(l, step)) exit(1);
            l.second.store(step + 1, std::memory_order_release);
        }
    }

    void receiver(Lane &l) {
        for (long step = 0;; step++) {
            while (l.second.load(std::memory_order_acquire) + o.slots <= step) std::this_thread::yield();
            if (!receiveChunk(l, step)) break;
            l.first.store(step + 1, std::memory_order_release);
        }
        live--;
    }

    // A turn of the agent. Returns whether there is more to do.
    bool sendTurn(double end) {
        if (stop) return false;
        for (Lane &l : lanes) {
            if (l.issued < l.second.load(std::memory_order_acquire) + o.slots) issue(l, cudaMemcpyDeviceToHost);
            long next = l.first.load(std::memory_order_relaxed);
            if (next < l.issued && passed(l, next)) l.first.store(next + 1, std::memory_order_release);
        }
        stop = seconds() >= end;
        return true;
    }

    bool receiveTurn() {
        bool busy = live > 0;
        for (Lane &l : lanes) {
            if (l.issued < l.first.load(std::memory_order_acquire)) issue(l, cudaMemcpyHostToDevice);
            long next = l.second.load(std::memory_order_relaxed);
            if (next < l.issued) {
                busy = true;
                if (passed(l, next)) l.second.store(next + 1, std::memory_order_release);
            } else if (l.issued < l.first.load(std::memory_order_acquire)) {
                busy = true;
            }
        }
        return busy;
    }

    // ---- each socket thread makes its own ----

    void senderAlone(Lane &l, double end) {
        check(cudaSetDevice(o.gpu), "device");
        for (long step = 0; seconds() < end; step++) {
            while (l.issued < step + o.slots) issue(l, cudaMemcpyDeviceToHost);
            while (!passed(l, step)) {
            }
            if (!sendChunk(l, step)) exit(1);
        }
        shutdown(l.fd, SHUT_WR);
    }

    void receiverAlone(Lane &l) {
        check(cudaSetDevice(o.gpu), "device");
        for (long step = 0;; step++) {
            if (step >= o.slots)
                while (!passed(l, step - o.slots)) {
                }
            if (!receiveChunk(l, step)) break;
            issue(l, cudaMemcpyHostToDevice);
            l.first.store(step + 1, std::memory_order_relaxed);
        }
    }

    void open() {
        check(cudaMalloc(&memory, MEMORY), "memory");
        if (sends) fillWords<<<1024, 256>>>(reinterpret_cast<uint32_t *>(memory), MEMORY / 4);
        else check(cudaMemset(memory, 0, MEMORY), "clear");
        cudaStream_t shared;
        check(cudaStreamCreateWithFlags(&shared, cudaStreamNonBlocking), "stream");
        lanes = std::vector<Lane>(o.sockets);
        for (int i = 0; i < o.sockets; i++) {
            Lane &l = lanes[i];
            check(cudaHostAlloc(&l.pinned, o.chunk * o.slots, cudaHostAllocPortable), "pinned");
            l.stream = shared;
            if (!o.agent) check(cudaStreamCreateWithFlags(&l.stream, cudaStreamNonBlocking), "stream");
            l.events.resize(o.slots);
            for (auto &e : l.events) check(cudaEventCreateWithFlags(&e, cudaEventDisableTiming), "event");
            l.span = MEMORY / o.sockets / o.chunk * o.chunk;
            l.base = l.span * i;
        }
        check(cudaDeviceSynchronize(), "start");
    }

    void begin(double end) {
        live = o.sockets;
        for (Lane &l : lanes)
            threads.emplace_back([this, &l, end] {
                if (sends) o.agent ? sender(l) : senderAlone(l, end);
                else o.agent ? receiver(l) : receiverAlone(l);
            });
    }

    void finish() {
        for (auto &t : threads) t.join();
        took = seconds() - start;
    }

    bool report() {
        unsigned long long *wrong, answer = 0;
        check(cudaMalloc(&wrong, sizeof *wrong), "memory");
        check(cudaMemset(wrong, 0, sizeof *wrong), "clear");
        size_t bytes = 0;
        for (Lane &l : lanes) {
            size_t got = l.first.load() * o.chunk;
            bytes += got;
            size_t filled = got < l.span ? got : l.span;
            countWrong<<<512, 256>>>(reinterpret_cast<uint32_t *>(memory), l.base / 4, filled / 4, wrong);
        }
        check(cudaMemcpy(&answer, wrong, sizeof answer, cudaMemcpyDeviceToHost), "compare");
        printf("{\"ceiling\":\"%s\",\"duplex\":%s,\"sockets\":%d,\"chunk\":%zu,\"slots\":%d,\"gb_per_s\":%.3f,\"wrong_words\":%llu}\n",
               !o.agent ? "threads" : o.twoAgents ? "agents" : "agent", o.duplex ? "true" : "false", o.sockets, o.chunk, o.slots, bytes / took / 1e9, answer);
        return answer == 0;
    }
};

struct Side {
    Options o;
    std::unique_ptr<Half> out, in;

    void connectAll() {
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_port = htons(o.port);
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int listener = -1, on = 1;
        if (o.server) {
            listener = socket(AF_INET, SOCK_STREAM, 0);
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            checkSystem(bind(listener, reinterpret_cast<sockaddr *>(&a), sizeof a), "bind");
            checkSystem(listen(listener, 256), "listen");
            printf("{\"listening\":true}\n");
            fflush(stdout);
        }
        // first the client's direction, then the server's, in the same order on both sides
        for (bool toServer : {true, false}) {
            Half *half = toServer == o.server ? in.get() : out.get();
            if (!half) continue;
            for (Lane &l : half->lanes) {
                if (o.server) {
                    checkSystem(l.fd = accept(listener, nullptr, nullptr), "accept");
                } else {
                    l.fd = socket(AF_INET, SOCK_STREAM, 0);
                    checkSystem(connect(l.fd, reinterpret_cast<sockaddr *>(&a), sizeof a), "connect");
                }
            }
        }
    }

    // Both directions begin together: the server accepts last and says when it has all sockets.
    void meet() {
        char byte = 1;
        if (!o.duplex) return;
        if (o.server) checkSystem(send(out->lanes[0].fd, &byte, 1, MSG_NOSIGNAL), "ready");
        else checkSystem(recv(in->lanes[0].fd, &byte, 1, MSG_WAITALL), "ready");
    }

    bool run() {
        check(cudaSetDevice(o.gpu), "device");
        if (!o.server || o.duplex) out = std::make_unique<Half>(o, true);
        if (o.server || o.duplex) in = std::make_unique<Half>(o, false);
        for (Half *h : {out.get(), in.get()})
            if (h) h->open();
        connectAll();
        meet();
        if (!out) {
            char byte;
            checkSystem(recv(in->lanes[0].fd, &byte, 1, MSG_PEEK), "first byte");
        }
        double now = seconds();
        for (Half *h : {out.get(), in.get()})
            if (h) {
                h->start = now;
                h->begin(now + o.time);
            }
        if (o.agent && o.twoAgents && out && in) {
            std::thread sending([&] {
                check(cudaSetDevice(o.gpu), "device");
                while (out->sendTurn(now + o.time)) {
                }
            });
            while (in->receiveTurn()) {
            }
            sending.join();
        } else if (o.agent) {
            for (bool more = true; more;) {
                more = out && out->sendTurn(now + o.time);
                more |= in && in->receiveTurn();
            }
        }
        for (Half *h : {in.get(), out.get()})
            if (h) h->finish();
        check(cudaDeviceSynchronize(), "end");
        return !in || in->report();
    }
};

int main(int argc, char **argv) {
    Side side;
    Options &o = side.o;
    o.server = argc > 1 && !strcmp(argv[1], "server");
    for (int i = 2; i < argc; i++) {
        std::string a = argv[i];
        size_t at = a.find('=');
        std::string name = a.substr(0, at), value = at == std::string::npos ? "" : a.substr(at + 1);
        if (name == "port") o.port = std::stoi(value);
        else if (name == "sockets") o.sockets = std::stoi(value);
        else if (name == "slots") o.slots = std::stoi(value);
        else if (name == "gpu") o.gpu = std::stoi(value);
        else if (name == "chunk") o.chunk = std::stoul(value);
        else if (name == "seconds") o.time = std::stod(value);
        else if (name == "calls") o.agent = value != "threads", o.twoAgents = value == "agents";
        else if (name == "duplex") o.duplex = value == "1";
        else {
            fprintf(stderr, "no option %s\n", name.c_str());
            return 2;
        }
    }
    return side.run() ? 0 : 1;
}
