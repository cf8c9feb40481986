// The kernels of Sluice. make-ptx.sh compiles them to the PTX that is shipped; a test compares the two.
//
// Copying is done lane by lane, with no communication between lanes, so that the same source also runs on a CPU, one lane after
// another (KernelSourceTest).

#include <cstdint>

// ---- unpack: many chunks that a NIC scattered over bounce-buffer pages, each to its destination ----

constexpr uint32_t MOST_CHUNKS = 64;
constexpr uint32_t WARPS = 8; // of a block; one item each

// A fragment, or a piece of one: the descriptor of GPUDirect-TCPX as it is.
struct alignas(16) Item {
    uint32_t source; // from the chunk's bounce buffer
    uint32_t length;
    uint64_t destination; // from the chunk's first byte
};

// A chunk has blocks of its own.
struct Chunk {
    const Item *items; // pinned host memory: the plugin's own list, or a copy of it
    uint64_t source;
    uint64_t destination;
    uint32_t firstBlock;
    uint32_t itemCount;
};

struct Launch {
    uint32_t chunkCount;
    uint32_t unused;
    Chunk chunk[MOST_CHUNKS];
};

constexpr uint32_t LANES = 32;

__device__ __forceinline__ void copyBytes(uint8_t *to, const uint8_t *from, uint32_t bytes, uint32_t lane) {
    for (uint32_t i = lane; i < bytes; i += LANES) {
        to[i] = from[i];
    }
}

// Both ends aligned to 16 bytes. Eight loads a lane are in flight: a 4 KiB page a warp.
__device__ __forceinline__ void copyVectors(uint4 *to, const uint4 *from, uint32_t vectors, uint32_t lane) {
    constexpr uint32_t UNROLL = 8;
    uint32_t v = lane;
    for (; v + (UNROLL - 1) * LANES < vectors; v += UNROLL * LANES) {
        uint4 r[UNROLL];
#pragma unroll
        for (uint32_t u = 0; u < UNROLL; u++) {
            r[u] = from[v + u * LANES];
        }
#pragma unroll
        for (uint32_t u = 0; u < UNROLL; u++) {
            to[v + u * LANES] = r[u];
        }
    }
    // what is left, all of it in flight together too: lengths that are not even and pieces that are not aligned end up here
    uint4 r[UNROLL];
#pragma unroll
    for (uint32_t u = 0; u < UNROLL; u++) {
        if (v + u * LANES < vectors) {
            r[u] = from[v + u * LANES];
        }
    }
#pragma unroll
    for (uint32_t u = 0; u < UNROLL; u++) {
        if (v + u * LANES < vectors) {
            to[v + u * LANES] = r[u];
        }
    }
}

// The 16 bytes that begin WORD words and `bits` bits into the 32 bytes of a and b.
template <int WORD>
__device__ __forceinline__ uint4 shifted(const uint4 &a, const uint4 &b, uint32_t bits) {
    const uint32_t w[8] = {a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w};
    return make_uint4(
        __funnelshift_r(w[WORD], w[WORD + 1], bits),
        __funnelshift_r(w[WORD + 1], w[WORD + 2], bits),
        __funnelshift_r(w[WORD + 2], w[WORD + 3], bits),
        // with WORD == 3 and no bits there is no w[8] and none is needed
        __funnelshift_r(w[WORD + 3], WORD + 4 < 8 ? w[(WORD + 4) & 7] : 0, bits));
}

// The destination is aligned, the source lies off by 4 * WORD + bits / 8 bytes. Aligned 16-byte loads, realigned in registers; the
// one beyond the last is read only for bytes that the fragment has there, so it never leaves the fragment's memory.
template <int WORD>
__device__ __forceinline__ void copyShifted(uint4 *to, const uint4 *from, uint32_t vectors, uint32_t lane, uint32_t bits) {
    constexpr uint32_t UNROLL = 4;
    uint32_t v = lane;
    for (; v + (UNROLL - 1) * LANES < vectors; v += UNROLL * LANES) {
        uint4 a[UNROLL];
        uint4 b[UNROLL];
#pragma unroll
        for (uint32_t u = 0; u < UNROLL; u++) {
            a[u] = from[v + u * LANES];
            b[u] = from[v + u * LANES + 1];
        }
#pragma unroll
        for (uint32_t u = 0; u < UNROLL; u++) {
            to[v + u * LANES] = shifted<WORD>(a[u], b[u], bits);
        }
    }
    uint4 a[UNROLL];
    uint4 b[UNROLL];
#pragma unroll
    for (uint32_t u = 0; u < UNROLL; u++) {
        if (v + u * LANES < vectors) {
            a[u] = from[v + u * LANES];
            b[u] = from[v + u * LANES + 1];
        }
    }
#pragma unroll
    for (uint32_t u = 0; u < UNROLL; u++) {
        if (v + u * LANES < vectors) {
            to[v + u * LANES] = shifted<WORD>(a[u], b[u], bits);
        }
    }
}

// One lane's share of a copy that a warp makes: any alignment, any length.
__device__ __forceinline__ void copyLane(uint64_t destination, uint64_t source, uint32_t length, uint32_t lane) {
    uint32_t head = static_cast<uint32_t>(-destination) & 15;
    head = head < length ? head : length;
    const uint32_t vectors = (length - head) / 16;
    const uint32_t done = head + vectors * 16;
    uint4 *to = reinterpret_cast<uint4 *>(destination + head);
    const uint64_t at = source + head;
    const uint4 *from = reinterpret_cast<const uint4 *>(at & ~static_cast<uint64_t>(15));
    const uint32_t off = static_cast<uint32_t>(at & 15);
    const uint32_t bits = (off & 3) * 8;
    if (off == 0) {
        copyVectors(to, from, vectors, lane);
    } else if (off < 4) {
        copyShifted<0>(to, from, vectors, lane, bits);
    } else if (off < 8) {
        copyShifted<1>(to, from, vectors, lane, bits);
    } else if (off < 12) {
        copyShifted<2>(to, from, vectors, lane, bits);
    } else {
        copyShifted<3>(to, from, vectors, lane, bits);
    }
    copyBytes(reinterpret_cast<uint8_t *>(destination), reinterpret_cast<const uint8_t *>(source), head, lane);
    copyBytes(reinterpret_cast<uint8_t *>(destination + done), reinterpret_cast<const uint8_t *>(source + done), length - done,
              lane);
}

// A warp an item. The block fetches its items in one read, since each crosses PCIe.
extern "C" __global__ void __launch_bounds__(WARPS * LANES) sluice_unpack(const Launch launch) {
    __shared__ Item items[WARPS];
    uint32_t low = 0;
    uint32_t high = launch.chunkCount;
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (launch.chunk[middle].firstBlock <= blockIdx.x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const Chunk &chunk = launch.chunk[low];
    const uint32_t firstItem = (blockIdx.x - chunk.firstBlock) * WARPS;
    if (threadIdx.x < WARPS && firstItem + threadIdx.x < chunk.itemCount) {
        items[threadIdx.x] = chunk.items[firstItem + threadIdx.x];
    }
    __syncthreads();
    const uint32_t warp = threadIdx.x / LANES;
    if (firstItem + warp < chunk.itemCount) {
        const Item mine = items[warp];
        copyLane(chunk.destination + mine.destination, chunk.source + mine.source, mine.length, threadIdx.x % LANES);
    }
}

// ---- pieces: lists of copies between any two places that this GPU reaches, pinned host memory and peers among them ----

constexpr uint32_t PIECE_WARPS = 16; // of a block

struct alignas(16) Piece {
    uint64_t destination;
    uint64_t source;
    uint64_t length; // below 4 GiB
    uint64_t unused;
};

// Warp after warp takes every n-th piece of a ring in pinned memory. Neighbours go to different blocks, so that few pieces still
// use all of the SMs. The next piece is fetched while this one is copied: its way over PCIe takes as long as a small copy.
extern "C" __global__ void __launch_bounds__(PIECE_WARPS * LANES)
    sluice_pieces(const Piece *ring, uint64_t first, uint64_t count, uint64_t mask) {
    const uint64_t warps = static_cast<uint64_t>(gridDim.x) * PIECE_WARPS;
    const uint32_t lane = threadIdx.x % LANES;
    uint64_t at = static_cast<uint64_t>(threadIdx.x / LANES) * gridDim.x + blockIdx.x;
    if (at >= count) {
        return;
    }
    Piece next = ring[(first + at) & mask];
    for (; at < count; at += warps) {
        const Piece mine = next;
        if (at + warps < count) {
            next = ring[(first + at + warps) & mask];
        }
        copyLane(mine.destination, mine.source, static_cast<uint32_t>(mine.length), lane);
    }
}

// ---- lists: streams from any pieces to any pieces, found by their tables ----

constexpr uint32_t LIST_WARPS = 12; // of a block: as many as have registers on an SM
constexpr uint32_t MOST_MOVES = 20;
constexpr uint64_t MOST_RUN = 1u << 30; // of one copyLane

// Where the bytes of a stream lie: org.sluice.spi.PieceTable, of which the table may hold a part.
struct Side {
    uint64_t origin;  // where in the stream the move begins
    uint64_t table;   // blocks: uint32_t indices, 0 where each has its own number; a list: its addresses, then its ends
    uint64_t skipped; // pieces before the table's first
    uint64_t count;   // pieces of the table, or all where there is none
    uint64_t block;   // bytes of a block; 0 for a list
    uint64_t start;   // blocks: where number 0 is; a list: where in the stream the table's first piece begins
    uint64_t unit;    // blocks: how far apart neighbours are
    uint64_t inner;   // blocks of a row; 0 where there is but one row
    uint64_t row;     // how far apart rows are
};

struct Move {
    Side source;
    Side destination;
    uint64_t bytes;
    uint64_t stretch; // of the stream, for each warp
    uint32_t firstWarp;
    uint32_t unused;
};

struct MoveLaunch {
    uint32_t moveCount;
    uint32_t unused;
    Move move[MOST_MOVES];
};

// Walks through one side. The next piece is looked up while this one is copied.
struct PieceCursor {
    uint64_t address;
    uint64_t left;
    uint64_t piece; // of the table
    uint64_t nextAddress;
    uint64_t nextBytes;
};

__device__ __forceinline__ void lookUp(const Side &side, PieceCursor &c, uint64_t piece) {
    if (piece >= side.count) {
        c.nextBytes = 0;
        return;
    }
    if (side.block == 0) {
        const uint64_t *addresses = reinterpret_cast<const uint64_t *>(side.table);
        const uint64_t *ends = addresses + side.count;
        c.nextAddress = addresses[piece];
        c.nextBytes = ends[piece] - (piece == 0 ? side.start : ends[piece - 1]);
        return;
    }
    const uint64_t number = side.table == 0 ? piece : reinterpret_cast<const uint32_t *>(side.table)[piece];
    const uint64_t row = side.inner == 0 ? 0 : number / side.inner;
    c.nextAddress = side.start + row * side.row + (number - row * side.inner) * side.unit;
    c.nextBytes = side.block;
}

__device__ __forceinline__ void take(const Side &side, PieceCursor &c) {
    c.address = c.nextAddress;
    c.left = c.nextBytes;
    c.piece++;
    lookUp(side, c, c.piece);
}

// To the byte that is `at` bytes into the move.
__device__ __forceinline__ void seek(const Side &side, PieceCursor &c, uint64_t at) {
    const uint64_t offset = side.origin + at;
    uint64_t within;
    if (side.block == 0) {
        const uint64_t *ends = reinterpret_cast<const uint64_t *>(side.table) + side.count;
        uint64_t low = 0;
        uint64_t high = side.count - 1;
        while (low < high) {
            const uint64_t middle = (low + high) / 2;
            if (ends[middle] > offset) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        c.piece = low;
        within = offset - (low == 0 ? side.start : ends[low - 1]);
    } else {
        const uint64_t piece = offset / side.block;
        within = offset - piece * side.block;
        c.piece = piece - side.skipped;
    }
    lookUp(side, c, c.piece);
    take(side, c);
    c.address += within;
    c.left -= within;
}

// A stretch of a move's stream for each warp. Neighbours go to different blocks, so that few still use all of the SMs.
extern "C" __global__ void __launch_bounds__(LIST_WARPS * LANES) sluice_lists(const MoveLaunch launch) {
    const uint32_t warp = threadIdx.x / LANES * gridDim.x + blockIdx.x;
    const uint32_t lane = threadIdx.x % LANES;
    uint32_t low = 0;
    uint32_t high = launch.moveCount;
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (launch.move[middle].firstWarp <= warp) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const Move &move = launch.move[low];
    uint64_t at = (warp - move.firstWarp) * move.stretch;
    if (at >= move.bytes) {
        return;
    }
    const uint64_t end = move.bytes - at < move.stretch ? move.bytes : at + move.stretch;
    PieceCursor from;
    PieceCursor to;
    seek(move.source, from, at);
    seek(move.destination, to, at);
    while (true) {
        uint64_t run = from.left < to.left ? from.left : to.left;
        run = run < end - at ? run : end - at;
        run = run < MOST_RUN ? run : MOST_RUN;
        const uint64_t source = from.address;
        const uint64_t destination = to.address;
        at += run;
        // before the bytes are copied, so that what is looked up comes meanwhile
        from.address += run;
        from.left -= run;
        if (from.left == 0) {
            take(move.source, from);
        }
        to.address += run;
        to.left -= run;
        if (to.left == 0) {
            take(move.destination, to);
        }
        copyLane(destination, source, static_cast<uint32_t>(run), lane);
        if (at == end) {
            return;
        }
    }
}

// ---- pattern: as org.sluice.data.Pattern ----

__device__ __forceinline__ uint64_t patternWord(uint64_t index, uint64_t seed) {
    const uint64_t x = (index + seed) * 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 29);
}

__device__ __forceinline__ uint8_t patternByte(uint64_t firstWord, uint64_t at, uint64_t seed) {
    return static_cast<uint8_t>(patternWord(firstWord + at / 8, seed) >> (8 * (at & 7)));
}

// Fills `bytes` bytes at `address`, the first of which is the pattern's at word firstWord.
extern "C" __global__ void sluice_pattern_fill(uint64_t address, uint64_t firstWord, uint64_t bytes, uint64_t seed) {
    const uint64_t thread = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const uint64_t threads = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    uint8_t *block = reinterpret_cast<uint8_t *>(address);
    const uint64_t words = (address & 7) == 0 ? bytes / 8 : 0; // adopted memory may lie anywhere
    for (uint64_t i = thread; i < words; i += threads) {
        reinterpret_cast<uint64_t *>(block)[i] = patternWord(firstWord + i, seed);
    }
    for (uint64_t i = words * 8 + thread; i < bytes; i += threads) {
        block[i] = patternByte(firstWord, i, seed);
    }
}

// Lowers *first to the offset of the first byte that differs.
extern "C" __global__ void sluice_pattern_mismatch(
    uint64_t address, uint64_t firstWord, uint64_t bytes, uint64_t seed, unsigned long long *first) {
    const uint64_t thread = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const uint64_t threads = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    const uint8_t *block = reinterpret_cast<const uint8_t *>(address);
    const uint64_t words = (address & 7) == 0 ? bytes / 8 : 0;
    uint64_t mine = ~0ull;
    for (uint64_t i = thread; i < words && mine == ~0ull; i += threads) {
        const uint64_t difference = reinterpret_cast<const uint64_t *>(block)[i] ^ patternWord(firstWord + i, seed);
        if (difference != 0) {
            mine = i * 8 + (__ffsll(static_cast<long long>(difference)) - 1) / 8;
        }
    }
    for (uint64_t i = words * 8 + thread; i < bytes && mine == ~0ull; i += threads) {
        if (block[i] != patternByte(firstWord, i, seed)) {
            mine = i;
        }
    }
    if (mine != ~0ull) {
        atomicMin(first, static_cast<unsigned long long>(mine));
    }
}
