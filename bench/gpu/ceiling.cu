// What GPU-to-GPU over kernel TCP can give on a host, with no engine around it: sockets that carry fixed chunks between pinned slots,
// and the copies to and from them. The bound that Sluice is compared with; it knows no messages, no grants, no verification of
// single chunks. The receiver compares all bytes at the end.
//
//   ceiling server|client port=P sockets=N chunk=BYTES slots=S seconds=T calls=agent|threads gpu=G
//
// calls=agent: one thread a side makes every CUDA call, on one stream. calls=threads: each socket thread makes its own.

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
    bool server = false, agent = true;
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

struct Side {
    Options o;
    char *memory = nullptr;
    std::vector<Lane> lanes;
    std::atomic<bool> stop{false};
    std::atomic<int> live{0};

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

    void sendAgent(double end) {
        while (seconds() < end)
            for (Lane &l : lanes) {
                if (l.issued < l.second.load(std::memory_order_acquire) + o.slots) issue(l, cudaMemcpyDeviceToHost);
                long next = l.first.load(std::memory_order_relaxed);
                if (next < l.issued && passed(l, next)) l.first.store(next + 1, std::memory_order_release);
            }
        stop = true;
    }

    void receiveAgent() {
        for (bool busy = true; busy;) {
            busy = live > 0;
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
        }
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
        check(cudaSetDevice(o.gpu), "device");
        check(cudaMalloc(&memory, MEMORY), "memory");
        if (o.server) check(cudaMemset(memory, 0, MEMORY), "clear");
        else fillWords<<<1024, 256>>>(reinterpret_cast<uint32_t *>(memory), MEMORY / 4);
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

    void connectAll() {
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_port = htons(o.port);
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (o.server) {
            int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            checkSystem(bind(listener, reinterpret_cast<sockaddr *>(&a), sizeof a), "bind");
            checkSystem(listen(listener, 256), "listen");
            printf("{\"listening\":true}\n");
            fflush(stdout);
            for (Lane &l : lanes) checkSystem(l.fd = accept(listener, nullptr, nullptr), "accept");
        } else {
            for (Lane &l : lanes) {
                l.fd = socket(AF_INET, SOCK_STREAM, 0);
                checkSystem(connect(l.fd, reinterpret_cast<sockaddr *>(&a), sizeof a), "connect");
            }
        }
    }

    void run() {
        open();
        connectAll();
        std::vector<std::thread> threads;
        double start = seconds();
        if (o.server) {
            char byte;
            checkSystem(recv(lanes[0].fd, &byte, 1, MSG_PEEK), "first byte");
            start = seconds();
            live = o.sockets;
            for (Lane &l : lanes) threads.emplace_back([&] { o.agent ? receiver(l) : receiverAlone(l); });
            if (o.agent) receiveAgent();
            for (auto &t : threads) t.join();
            check(cudaDeviceSynchronize(), "end");
            report(seconds() - start);
        } else {
            double end = start + o.time;
            for (Lane &l : lanes) threads.emplace_back([&] { o.agent ? sender(l) : senderAlone(l, end); });
            if (o.agent) sendAgent(end);
            for (auto &t : threads) t.join();
            check(cudaDeviceSynchronize(), "end");
        }
    }

    void report(double took) {
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
        printf("{\"ceiling\":\"%s\",\"sockets\":%d,\"chunk\":%zu,\"slots\":%d,\"gb_per_s\":%.3f,\"wrong_words\":%llu}\n",
               o.agent ? "agent" : "threads", o.sockets, o.chunk, o.slots, bytes / took / 1e9, answer);
        if (answer) exit(1);
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
        else if (name == "calls") o.agent = value == "agent";
        else {
            fprintf(stderr, "no option %s\n", name.c_str());
            return 2;
        }
    }
    side.run();
}
