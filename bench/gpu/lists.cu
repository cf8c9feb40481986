// What block lists can reach on this host's GPUs, with no engine around them: kernels that gather random blocks straight into pinned
// memory and scatter them out of it, both at once, and between two GPUs scattered at both ends; next to the copy engines.
// One JSON object a line; GB/s of payload, the best of three rounds.
//
//   lists [gpu=0] [peer=1] [blocks=4]      blocks: thread blocks of 512 of the kernels that face pinned memory

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

static void check(cudaError_t e, const char *what) {
    if (e != cudaSuccess) {
        fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(e));
        exit(1);
    }
}

static double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr size_t POOL = size_t{1} << 30;
constexpr uint32_t PIECE = 4096; // of a warp
constexpr int THREADS = 512;
constexpr size_t MOST = size_t{256} << 20;

// Block i of the list: from fromBlock[i] (or i, packed) to toBlock[i] (or i). Offsets in units of a block.
__global__ void __launch_bounds__(THREADS) move(
    uint8_t *to, const uint32_t *toBlock, const uint8_t *from, const uint32_t *fromBlock, uint32_t count, uint32_t bytes) {
    const uint32_t perBlock = bytes / PIECE, lane = threadIdx.x % 32, warps = gridDim.x * (THREADS / 32);
    for (uint32_t w = threadIdx.x / 32 * gridDim.x + blockIdx.x; w < count * perBlock; w += warps) {
        const uint32_t i = w / perBlock;
        const size_t within = size_t{w % perBlock} * PIECE;
        auto *source = reinterpret_cast<const uint4 *>(from + size_t{fromBlock ? fromBlock[i] : i} * bytes + within);
        auto *target = reinterpret_cast<uint4 *>(to + size_t{toBlock ? toBlock[i] : i} * bytes + within);
        uint4 r[8];
#pragma unroll
        for (int u = 0; u < 8; u++) r[u] = source[u * 32 + lane];
#pragma unroll
        for (int u = 0; u < 8; u++) target[u * 32 + lane] = r[u];
    }
}

// Each word says where it belongs.
__global__ void fill(uint32_t *words, size_t n, uint32_t seed) {
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < n; i += size_t{gridDim.x} * blockDim.x)
        words[i] = static_cast<uint32_t>(i * 2654435761u) ^ seed;
}

struct Gpu {
    int id;
    uint8_t *pool = nullptr;
    uint32_t *order = nullptr; // a permutation of the pool's blocks
    cudaStream_t stream{}, other{};

    explicit Gpu(int id) : id(id) {
        check(cudaSetDevice(id), "device");
        check(cudaMalloc(&pool, POOL), "pool");
        check(cudaMalloc(&order, POOL / PIECE * 4), "order");
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
        check(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), "stream");
        renew();
    }

    void renew() {
        fill<<<1024, 256>>>(reinterpret_cast<uint32_t *>(pool), POOL / 4, static_cast<uint32_t>(id));
        check(cudaDeviceSynchronize(), "fill");
    }

    std::vector<uint32_t> shuffle(size_t bytes, unsigned seed) {
        std::vector<uint32_t> all(POOL / bytes);
        std::iota(all.begin(), all.end(), 0);
        std::shuffle(all.begin(), all.end(), std::mt19937(seed));
        check(cudaSetDevice(id), "device");
        check(cudaMemcpy(order, all.data(), all.size() * 4, cudaMemcpyHostToDevice), "order");
        return all;
    }
};

static double best(size_t bytes, const std::vector<Gpu *> &gpus, const std::function<void()> &once) {
    double quickest = 1e9;
    for (int round = -1; round < 3; round++) {
        const double start = seconds();
        for (int i = 0; i < 8; i++) once();
        for (Gpu *g : gpus) {
            check(cudaSetDevice(g->id), "device");
            check(cudaDeviceSynchronize(), "work");
        }
        if (round >= 0) quickest = std::min(quickest, seconds() - start);
    }
    return bytes * 8.0 / quickest / 1e9;
}

static void say(const char *what, size_t bytes, uint32_t count, double rate) {
    printf("{\"raw\":\"%s\",\"block\":%zu,\"count\":%u,\"gb_per_s\":%.2f}\n", what, bytes, count, rate);
    fflush(stdout);
}

int main(int argc, char **argv) {
    int id = 0, peerId = 1, blocks = 4, n = 0;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "gpu=", 4)) id = atoi(argv[i] + 4);
        else if (!strncmp(argv[i], "peer=", 5)) peerId = atoi(argv[i] + 5);
        else if (!strncmp(argv[i], "blocks=", 7)) blocks = atoi(argv[i] + 7);
    }
    check(cudaGetDeviceCount(&n), "devices");
    Gpu gpu(id);
    uint8_t *out, *in;
    check(cudaHostAlloc(&out, MOST, cudaHostAllocPortable), "pinned");
    check(cudaHostAlloc(&in, MOST, cudaHostAllocPortable), "pinned");
    Gpu *peer = nullptr;
    int reaches = 0;
    if (peerId < n && peerId != id) check(cudaDeviceCanAccessPeer(&reaches, id, peerId), "peer");
    if (reaches) {
        peer = new Gpu(peerId);
        check(cudaDeviceEnablePeerAccess(id, 0), "peer access");
        check(cudaSetDevice(id), "device");
        check(cudaDeviceEnablePeerAccess(peerId, 0), "peer access");
    }
    check(cudaSetDevice(id), "device");
    auto toHost = [&] { check(cudaMemcpyAsync(out, gpu.pool, MOST, cudaMemcpyDeviceToHost, gpu.stream), "copy"); };
    auto toGpu = [&] { check(cudaMemcpyAsync(gpu.pool + MOST, in, MOST, cudaMemcpyHostToDevice, gpu.other), "copy"); };
    say("copy engine to host", MOST, 1, best(MOST, {&gpu}, toHost));
    say("copy engine to GPU", MOST, 1, best(MOST, {&gpu}, toGpu));
    say("copy engines both ways, each", MOST, 1, best(MOST, {&gpu}, [&] { toHost(), toGpu(); }));
    if (peer) say("peer copy", MOST, 1, best(MOST, {&gpu}, [&] { check(cudaMemcpyPeerAsync(peer->pool, peerId, gpu.pool, id, MOST, gpu.stream), "copy"); }));
    for (auto [count, bytes] : {std::pair<uint32_t, uint32_t>{16384, 4 << 10}, {4096, 16 << 10}, {4096, 64 << 10}}) {
        const size_t total = size_t{count} * bytes;
        if (total > POOL / 2) continue;
        const auto order = gpu.shuffle(bytes, 7);
        gpu.renew();
        auto gather = [&, c = count, b = bytes] { move<<<blocks, THREADS, 0, gpu.stream>>>(out, nullptr, gpu.pool, gpu.order, c, b); };
        // the list's second half of the permutation, so that both directions at once touch blocks of their own
        auto scatter = [&, c = count, b = bytes] { move<<<blocks, THREADS, 0, gpu.other>>>(gpu.pool, gpu.order + POOL / b / 2, in, nullptr, c, b); };
        say("gather to pinned", bytes, count, best(total, {&gpu}, gather));
        for (uint32_t i = 0; i < count; i += 97) {
            const uint32_t word = static_cast<uint32_t>(size_t{order[i]} * bytes / 4 * 2654435761u) ^ static_cast<uint32_t>(id);
            uint32_t got;
            memcpy(&got, out + size_t{i} * bytes, 4);
            if (got != word) {
                fprintf(stderr, "block %u is wrong\n", i);
                return 1;
            }
        }
        say("scatter from pinned", bytes, count, best(total, {&gpu}, scatter));
        say("gather and scatter at once, each", bytes, count, best(total, {&gpu}, [&] { gather(), scatter(); }));
        if (!peer) continue;
        peer->shuffle(bytes, 8);
        for (int wide : {16, 132}) {
            check(cudaSetDevice(id), "device");
            const std::string name = "NVLink, scattered at both ends, " + std::to_string(wide) + " blocks";
            say(name.c_str(), bytes, count, best(total, {&gpu, peer}, [&, c = count, b = bytes] {
                    check(cudaSetDevice(id), "device");
                    move<<<wide, THREADS, 0, gpu.stream>>>(gpu.pool, gpu.order, peer->pool, gpu.order + POOL / b / 2, c, b);
                }));
        }
    }
    check(cudaGetLastError(), "kernels");
    return 0;
}
