// Runs the kernels' own source on the CPU, thread after thread, under the address and alignment sanitizers. A barrier is run as two
// passes: in the first each thread stops there, in the second it goes on; what they do before it is the same both times.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
static uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }
static uint32_t __funnelshift_r(uint32_t low, uint32_t high, uint32_t bits) {
    return static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32) | low) >> (bits & 31));
}
static int __ffsll(long long x) { return __builtin_ffsll(x); }
static void atomicMin(unsigned long long *at, unsigned long long value) { *at = std::min(*at, value); }
static struct { unsigned x; } blockIdx, threadIdx, blockDim, gridDim;
struct Barrier {};
static bool stopAtBarrier;
static void __syncthreads() {
    if (stopAtBarrier) throw Barrier();
}
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(n)
#define __shared__ static
#include "kernels.cu"

template <typename Kernel>
static void launch(unsigned blocks, unsigned threads, Kernel kernel) {
    gridDim.x = blocks;
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)
        for (bool pass : {true, false}) {
            stopAtBarrier = pass;
            for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++) try {
                    kernel();
                } catch (Barrier) {
                }
        }
}

static std::mt19937_64 random_(7);
static uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

static int failures;
static void expect(bool ok, const char *what, uint64_t a, uint64_t b, uint64_t c) {
    if (!ok && failures++ < 10)
        printf("%s: %llu %llu %llu\n", what, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
}

// Every source and destination alignment, lengths around every boundary of the copy loops.
static void copies() {
    const uint32_t lengths[] = {0, 1, 2, 15, 16, 17, 31, 33, 100, 511, 512, 513, 527, 2047, 2048, 2049, 4095, 4096, 4097, 4111, 8191, 9000};
    const uint32_t room = 9216;
    std::vector<uint4> sourceWords(room / 16), targetWords(room / 16);
    auto *source = reinterpret_cast<uint8_t *>(sourceWords.data());
    auto *target = reinterpret_cast<uint8_t *>(targetWords.data());
    std::vector<uint8_t> expected(room);
    for (uint32_t i = 0; i < room; i++) source[i] = static_cast<uint8_t>(random_());
    for (uint32_t from = 0; from < 16; from++)
        for (uint32_t to = 0; to < 16; to++)
            for (uint32_t length : lengths) {
                std::fill(expected.begin(), expected.end(), 0xEE);
                std::fill(target, target + room, 0xEE);
                std::copy(source + from, source + from + length, expected.begin() + to);
                for (uint32_t lane = 0; lane < LANES; lane++)
                    copyLane(reinterpret_cast<uint64_t>(target + to), reinterpret_cast<uint64_t>(source + from), length, lane);
                expect(!memcmp(target, expected.data(), room), "copy from, to, length", from, to, length);
            }
}

// One launch of several chunks with random fragments.
static void unpack(uint32_t chunks, uint32_t chunkBytes, uint32_t longest) {
    const uint32_t slack = 64;
    Launch launch_{};
    uint32_t blocks = 0;
    std::vector<std::vector<Item>> items(chunks);
    std::vector<std::vector<uint4>> bounce(chunks), out(chunks);
    std::vector<std::vector<uint8_t>> expected(chunks);
    for (uint32_t c = 0; c < chunks; c++) {
        bounce[c].resize((chunkBytes * 2 + 16 * chunkBytes + slack) / 16);
        out[c].resize((chunkBytes + slack) / 16);
        auto *b = reinterpret_cast<uint8_t *>(bounce[c].data());
        for (size_t i = 0; i < bounce[c].size() * 16; i++) b[i] = static_cast<uint8_t>(random_());
        expected[c].assign(out[c].size() * 16, 0);
        const uint32_t shift = below(16);
        uint32_t at = 0;
        for (uint32_t done = 0; done < chunkBytes;) {
            const uint32_t n = std::min(chunkBytes - done, 1 + below(longest));
            at += below(16);
            items[c].push_back({at, n, done});
            std::copy(b + at, b + at + n, expected[c].begin() + shift + done);
            at += n;
            done += n;
        }
        std::shuffle(items[c].begin(), items[c].end(), random_);
        const auto count = static_cast<uint32_t>(items[c].size());
        launch_.chunk[c] = {items[c].data(), reinterpret_cast<uint64_t>(b), reinterpret_cast<uint64_t>(out[c].data()) + shift, blocks,
                            count};
        blocks += (count + WARPS - 1) / WARPS;
    }
    launch_.chunkCount = chunks;
    launch(blocks, WARPS * LANES, [&] { sluice_unpack(launch_); });
    for (uint32_t c = 0; c < chunks; c++)
        expect(!memcmp(out[c].data(), expected[c].data(), expected[c].size()), "unpack chunk, of, bytes", c, chunks, chunkBytes);
}

// A launch over a ring that wraps, with fewer and more pieces than warps.
static void pieces(uint32_t count, uint32_t blocks, uint32_t longest) {
    uint32_t ringSize = 1;
    while (ringSize < count) ringSize *= 2;
    std::vector<Piece> ring(ringSize);
    const uint64_t first = ringSize * 5ull + ringSize - 1;
    std::vector<uint64_t> places(count);
    std::vector<uint4> from(count * static_cast<size_t>(longest + 32) / 16 + 1), to(from.size());
    auto *f = reinterpret_cast<uint8_t *>(from.data());
    auto *t = reinterpret_cast<uint8_t *>(to.data());
    for (size_t i = 0; i < from.size() * 16; i++) f[i] = static_cast<uint8_t>(random_());
    std::vector<uint8_t> expected(to.size() * 16, 0);
    std::iota(places.begin(), places.end(), 0);
    std::shuffle(places.begin(), places.end(), random_);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t at = i * static_cast<uint64_t>(longest + 32) + below(16), place = places[i] * (longest + 32) + below(16);
        const uint32_t n = below(longest + 1);
        std::copy(f + at, f + at + n, expected.begin() + static_cast<long>(place));
        ring[(first + i) & (ringSize - 1)] = {reinterpret_cast<uint64_t>(t) + place, reinterpret_cast<uint64_t>(f) + at, n, 0};
    }
    launch(blocks, PIECE_WARPS * LANES, [&] { sluice_pieces(ring.data(), first, count, ringSize - 1); });
    expect(!memcmp(t, expected.data(), expected.size()), "pieces count, blocks, longest", count, blocks, longest);
}

// One side of a stream: so many bytes in pieces of `block` bytes, or of any length up to `longest`, in random order.
struct TestSide {
    Side side{};
    std::vector<uint4> memory;
    std::vector<uint32_t> indices;
    std::vector<uint64_t> table, begins; // of each piece in the stream
    std::vector<uint8_t *> addresses;

    uint8_t *at(uint64_t offset) const { // the slow way
        size_t i = 0;
        while (i + 1 < begins.size() && begins[i + 1] <= offset) i++;
        return addresses[i] + (offset - begins[i]);
    }
};

enum class Form { RANGE, BLOCKS, ROWS, LIST };

// A table of the stream from `origin` on for `bytes` bytes, of a stream of `total`.
static TestSide testSide(Form form, uint64_t total, uint64_t block, uint64_t origin, uint64_t bytes) {
    TestSide t;
    const uint64_t count = form == Form::RANGE ? 1 : form == Form::LIST ? total / block + 3 : (total + block - 1) / block;
    const uint64_t room = form == Form::RANGE ? total : block + 32;
    t.memory.resize((count * room + total + 64) / 16 + 1);
    auto *base = reinterpret_cast<uint8_t *>(t.memory.data()) + below(16);
    for (size_t i = 0; i < t.memory.size() * 16; i++) reinterpret_cast<uint8_t *>(t.memory.data())[i] = static_cast<uint8_t>(random_());
    t.side.origin = origin;
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    if (form == Form::LIST) {
        std::vector<uint64_t> lengths, ends;
        uint64_t left = total, sum = 0, place = 0;
        while (left > 0) {
            lengths.push_back(std::min<uint64_t>(left, 1 + below(static_cast<uint32_t>(block))));
            left -= lengths.back();
        }
        std::shuffle(lengths.begin(), lengths.end(), random_);
        for (uint64_t n : lengths) {
            t.begins.push_back(sum);
            ends.push_back(sum += n);
            t.addresses.push_back(base + place);
            place += n; // side by side, shuffled below
        }
        t.memory.resize(t.memory.size() + place / 16 + 1);
        base = reinterpret_cast<uint8_t *>(t.memory.data()) + below(16);
        place = 0;
        std::vector<size_t> where(lengths.size());
        std::iota(where.begin(), where.end(), 0);
        std::shuffle(where.begin(), where.end(), random_);
        for (size_t i : where) t.addresses[i] = base + place, place += lengths[i];
        size_t first = 0, last = 0;
        while (ends[first] <= origin) first++;
        while (ends[last] < origin + bytes) last++;
        for (size_t i = first; i <= last; i++) t.table.push_back(reinterpret_cast<uint64_t>(t.addresses[i]));
        for (size_t i = first; i <= last; i++) t.table.push_back(ends[i]);
        t.side.skipped = first;
        t.side.count = last - first + 1;
        t.side.start = t.begins[first];
        t.side.table = reinterpret_cast<uint64_t>(t.table.data());
        return t;
    }
    t.side.block = form == Form::RANGE ? total : block;
    t.side.start = reinterpret_cast<uint64_t>(base);
    t.side.unit = room;
    t.side.count = count;
    for (uint64_t i = 0; i < count; i++) {
        t.begins.push_back(i * t.side.block);
        uint64_t number = form == Form::BLOCKS ? order[i] : i;
        if (form == Form::ROWS) { // three to a row, the rows the wrong way round in memory
            const uint64_t rows = (count + 2) / 3;
            t.side.inner = 3;
            t.side.row = -3 * room;
            t.side.start = reinterpret_cast<uint64_t>(base) + (rows - 1) * 3 * room;
            t.addresses.push_back(base + (rows - 1 - i / 3) * 3 * room + i % 3 * room);
        } else t.addresses.push_back(base + number * room);
    }
    if (form == Form::ROWS) t.memory.reserve(t.memory.size());
    if (form == Form::BLOCKS) {
        const uint64_t first = origin / block, last = (origin + bytes - 1) / block;
        t.indices.assign(order.begin() + static_cast<long>(first), order.begin() + static_cast<long>(last) + 1);
        t.side.skipped = first;
        t.side.count = last - first + 1;
        t.side.table = reinterpret_cast<uint64_t>(t.indices.data());
    }
    return t;
}

// Moves of every form to every form in one launch; every byte of the destinations' memory is compared, those between the pieces too.
static void lists(uint64_t total, uint64_t fromBlock, uint64_t toBlock, uint64_t share, uint32_t warpsEach) {
    const Form forms[] = {Form::RANGE, Form::BLOCKS, Form::ROWS, Form::LIST};
    MoveLaunch launch_{};
    std::vector<TestSide> from, to;
    std::vector<std::vector<uint8_t>> expected;
    from.reserve(16), to.reserve(16);
    uint32_t warps = 0;
    for (Form f : forms)
        for (Form t : forms) {
            const uint64_t origin = below(static_cast<uint32_t>(total)), bytes = 1 + below(static_cast<uint32_t>(total - origin));
            from.push_back(testSide(f, total, fromBlock, origin, bytes));
            to.push_back(testSide(t, total, toBlock, origin, bytes));
            TestSide &a = from.back(), &b = to.back();
            auto *memory = reinterpret_cast<uint8_t *>(b.memory.data());
            expected.emplace_back(memory, memory + b.memory.size() * 16);
            for (uint64_t i = 0; i < bytes; i++) expected.back()[static_cast<size_t>(b.at(origin + i) - memory)] = *a.at(origin + i);
            Move &m = launch_.move[launch_.moveCount++];
            m.source = a.side, m.destination = b.side, m.bytes = bytes, m.firstWarp = warps;
            const uint64_t shares = (bytes + share - 1) / share, each = (shares + warpsEach - 1) / warpsEach;
            m.stretch = each * share;
            warps += static_cast<uint32_t>((shares + each - 1) / each);
        }
    launch((warps + LIST_WARPS - 1) / LIST_WARPS, LIST_WARPS * LANES, [&] { sluice_lists(launch_); });
    for (size_t i = 0; i < to.size(); i++)
        expect(!memcmp(to[i].memory.data(), expected[i].data(), expected[i].size()), "lists move, of, blocks", i, total, fromBlock);
}

static void patterns() {
    const uint64_t first = 3, seed = 0x1234567890ull, bytes = 5003;
    for (uint64_t shift = 0; shift < 8; shift++) {
        std::vector<uint64_t> words(bytes / 8 + 3);
        auto *block = reinterpret_cast<uint8_t *>(words.data()) + shift;
        const auto at = reinterpret_cast<uint64_t>(block);
        launch(3, 256, [&] { sluice_pattern_fill(at, first, bytes, seed); });
        for (uint64_t i = 0; i < bytes; i++) {
            const uint64_t x = (first + i / 8 + seed) * 0x9E3779B97F4A7C15ull;
            expect(block[i] == static_cast<uint8_t>((x ^ (x >> 29)) >> (8 * (i & 7))), "pattern shift, at", shift, i, 0);
        }
        expect(block[bytes] == 0, "fill beyond the end", shift, 0, 0);
        for (uint64_t wrong : {uint64_t{5003}, uint64_t{5002}, uint64_t{4999}, uint64_t{4097}, uint64_t{7}, uint64_t{0}}) {
            if (wrong < bytes) block[wrong] ^= 0x80;
            unsigned long long found = ~0ull;
            launch(3, 256, [&] { sluice_pattern_mismatch(at, first, bytes, seed, &found); });
            expect(found == (wrong < bytes ? wrong : ~0ull), "mismatch shift, wrong, found", shift, wrong, found);
        }
    }
}

int main() {
    copies();
    unpack(1, 1, 1);
    unpack(3, 40000, 4096);
    unpack(64, 700, 100);
    unpack(5, 20000, 20000);
    pieces(1, 1, 5000);
    pieces(7, 4, 300);
    pieces(100, 1, 4200);
    pieces(500, 4, 6144);
    pieces(2000, 3, 1);
    lists(1, 1, 1, 1, 1);
    lists(500, 1, 1, 1, 7);
    lists(3000, 16, 7, 100, 3);
    lists(40000, 4096, 4096, 4096, 4);
    lists(40000, 4097, 1000, 4096, 3);
    lists(30011, 30011, 512, 512, 9);
    patterns();
    printf("%d failures\n", failures);
    return failures != 0;
}
