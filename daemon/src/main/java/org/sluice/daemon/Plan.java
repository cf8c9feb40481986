package org.sluice.daemon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sluice.Layout;
import org.sluice.Pieces;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;

/**
 * Which bytes a request moves: pieces that are one range on either side each. Immutable but for its making.
 */
final class Plan {
    private ClientMemory[] memories;
    private long[] numbers;
    private int count;
    private long bytes;
    private int gpu = ANY;
    private final Optional<KeptSides> kept;

    /** In {@link #gpu}: no memory at all. */
    static final int ANY = -1;

    private static final int MIXED = -2;

    /** Per piece: local offset, key high, key low, remote offset, bytes. */
    private static final int PER_PIECE = 5;

    /** What is made before the pieces are looked at; lists that lie about their length take no more. */
    private static final int FIRST_ROOM = 1024;

    private Plan(int wanted, boolean prepared) {
        int room = Math.min(FIRST_ROOM, wanted);
        kept = prepared ? Optional.of(new KeptSides()) : Optional.empty();
        memories = new ClientMemory[room];
        numbers = new long[room * PER_PIECE];
    }

    static Plan empty(int room) {
        return new Plan(Math.max(1, room), false);
    }

    /** To be posted many times, until it is {@linkplain #close closed}. */
    static Plan prepared(int room) {
        return new Plan(Math.max(1, room), true);
    }

    static Plan one(ClientMemory memory, long offset, long keyHigh, long keyLow, long remoteOffset, long bytes) {
        Plan plan = new Plan(1, false);
        plan.add(memory, offset, keyHigh, keyLow, remoteOffset, bytes);
        return plan;
    }

    /** Appends a piece, or makes the last one longer where both sides go on. */
    @SuppressWarnings("ReferenceEquality")
    void add(ClientMemory memory, long offset, long keyHigh, long keyLow, long remoteOffset, long length) {
        bytes += length;
        gpu = gpu == ANY || gpu == memory.gpu() ? memory.gpu() : MIXED;
        if (count > 0) {
            int last = (count - 1) * PER_PIECE;
            if (memories[count - 1] == memory
                    && numbers[last] + numbers[last + 4] == offset
                    && numbers[last + 1] == keyHigh
                    && numbers[last + 2] == keyLow
                    && numbers[last + 3] + numbers[last + 4] == remoteOffset) {
                numbers[last + 4] += length;
                return;
            }
        }
        if (count == memories.length) {
            memories = Arrays.copyOf(memories, count * 2);
            numbers = Arrays.copyOf(numbers, count * 2 * PER_PIECE);
        }
        int at = count * PER_PIECE;
        memories[count++] = memory;
        numbers[at] = offset;
        numbers[at + 1] = keyHigh;
        numbers[at + 2] = keyLow;
        numbers[at + 3] = remoteOffset;
        numbers[at + 4] = length;
    }

    int pieces() {
        return count;
    }

    /** Pieces that one request alone has memory of: none of those that are prepared. */
    int ownPieces() {
        return kept.isPresent() ? 0 : count;
    }

    /** Whether a link of a GPU reaches all of it. */
    boolean isOn(int linkGpu) {
        return gpu == ANY || gpu == linkGpu;
    }

    /** One of its memories that a link of this GPU does not reach. */
    ClientMemory memoryNotOn(int linkGpu) {
        return Arrays.stream(memories, 0, count)
                .filter(m -> m.gpu() != linkGpu)
                .findFirst()
                .orElseThrow();
    }

    /** Where some pieces lie at both ends. @throws RuntimeException where one of them cannot be used */
    Sides sides(SharedLink link, int from, int to, long firstOffset, long length) {
        if (kept.isPresent() && to - from > 1) {
            return kept.get().of(link, from, to, firstOffset, length, new KeptSides.Making() {
                @Override
                public Layout local() {
                    return Plan.this.local(from, to, firstOffset, length);
                }

                @Override
                public RemoteLayout remote() {
                    return Plan.this.remote(from, to, firstOffset, length);
                }
            });
        }
        return new Sides(
                link.link(), local(from, to, firstOffset, length), remote(from, to, firstOffset, length), false);
    }

    /** What peers were told of it is told anew. */
    void tellAnew() {
        kept.ifPresent(KeptSides::forget);
    }

    /** It is not posted any more; what is under way goes on. */
    void close() {
        kept.ifPresent(KeptSides::close);
    }

    /** Where this side's bytes of some pieces lie. @throws ClientException where one of them can shrink */
    Layout local(int from, int to, long firstOffset, long bytes) {
        if (to - from == 1 && memories[from] instanceof ClientMemory.Reached memory) {
            return Layout.range(memory.region(), offset(from) + firstOffset, bytes);
        }
        Map<Region, Integer> known = new HashMap<>();
        List<Region> regions = new ArrayList<>();
        int[] region = new int[to - from];
        long[] offsets = new long[to - from];
        long[] lengths = new long[to - from];
        for (int i = from; i < to; i++) {
            if (!(memories[i] instanceof ClientMemory.Reached memory)) {
                throw new ClientException(Status.NOT_SUPPORTED, "memory that can shrink is moved whole, without lists");
            }
            region[i - from] = known.computeIfAbsent(memory.region(), r -> {
                regions.add(r);
                return regions.size() - 1;
            });
            offsets[i - from] = offset(i);
            lengths[i - from] = length(i);
        }
        cut(offsets, lengths, firstOffset, bytes);
        return Layout.of(regions, pieces(regions.size(), region, offsets, lengths));
    }

    /** Where the peer's bytes of some pieces lie. */
    RemoteLayout remote(int from, int to, long firstOffset, long bytes) {
        if (to - from == 1) {
            return RemoteLayout.range(
                    new RemoteRegion(keyHigh(from), keyLow(from), Long.MAX_VALUE),
                    remoteOffset(from) + firstOffset,
                    bytes);
        }
        Map<Key, Integer> known = new HashMap<>();
        List<RemoteRegion> regions = new ArrayList<>();
        int[] region = new int[to - from];
        long[] offsets = new long[to - from];
        long[] lengths = new long[to - from];
        for (int i = from; i < to; i++) {
            int at = i * PER_PIECE;
            // how long it is, its owner knows, who checks
            region[i - from] = known.computeIfAbsent(new Key(numbers[at + 1], numbers[at + 2]), k -> {
                regions.add(new RemoteRegion(k.high(), k.low(), Long.MAX_VALUE));
                return regions.size() - 1;
            });
            offsets[i - from] = remoteOffset(i);
            lengths[i - from] = length(i);
        }
        cut(offsets, lengths, firstOffset, bytes);
        return RemoteLayout.of(regions, pieces(regions.size(), region, offsets, lengths));
    }

    /** In the form that says it with the least: blocks of one size on a grid of that size need a number each. */
    private static Pieces pieces(int regions, int[] region, long[] offsets, long[] lengths) {
        long block = lengths[0];
        long base = block > 0 ? offsets[0] % block : 0;
        int[] indices = new int[offsets.length];
        boolean onGrid = regions == 1 && block > 0;
        for (int i = 0; onGrid && i < indices.length; i++) {
            long index = (offsets[i] - base) / block;
            onGrid = lengths[i] == block
                    && offsets[i] >= base
                    && (offsets[i] - base) % block == 0
                    && index <= Integer.MAX_VALUE;
            indices[i] = (int) index;
        }
        return onGrid ? new Pieces.Blocks(base, block, indices) : new Pieces.Listed(region, offsets, lengths);
    }

    /** Takes off what was moved of the first piece, and what goes beyond so many bytes of the last one. */
    private static void cut(long[] offsets, long[] lengths, long firstOffset, long bytes) {
        offsets[0] += firstOffset;
        lengths[0] -= firstOffset;
        long sum = Arrays.stream(lengths).sum();
        lengths[lengths.length - 1] -= sum - bytes;
    }

    long bytes() {
        return bytes;
    }

    ClientMemory memory(int piece) {
        return memories[piece];
    }

    long offset(int piece) {
        return numbers[piece * PER_PIECE];
    }

    long keyHigh(int piece) {
        return numbers[piece * PER_PIECE + 1];
    }

    long keyLow(int piece) {
        return numbers[piece * PER_PIECE + 2];
    }

    long remoteOffset(int piece) {
        return numbers[piece * PER_PIECE + 3];
    }

    long length(int piece) {
        return numbers[piece * PER_PIECE + 4];
    }
}
