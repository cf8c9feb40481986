package org.sluice.daemon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    /** Per piece: local offset, key high, key low, remote offset, bytes. */
    private static final int PER_PIECE = 5;

    private Plan(int room) {
        memories = new ClientMemory[room];
        numbers = new long[room * PER_PIECE];
    }

    static Plan empty(int room) {
        return new Plan(Math.max(1, room));
    }

    static Plan one(ClientMemory memory, long offset, long keyHigh, long keyLow, long remoteOffset, long bytes) {
        Plan plan = new Plan(1);
        plan.add(memory, offset, keyHigh, keyLow, remoteOffset, bytes);
        return plan;
    }

    /** Appends a piece, or makes the last one longer where both sides go on. */
    @SuppressWarnings("ReferenceEquality")
    void add(ClientMemory memory, long offset, long keyHigh, long keyLow, long remoteOffset, long length) {
        bytes += length;
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
        return Layout.of(regions, new Pieces.Listed(region, offsets, lengths));
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
        return RemoteLayout.of(regions, new Pieces.Listed(region, offsets, lengths));
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
