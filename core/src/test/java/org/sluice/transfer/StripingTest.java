package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

/** Every byte goes on exactly one channel, and both ends agree on which where nothing is granted. */
final class StripingTest {
    private static final Completion NOBODY = new Completion() {
        @Override
        public void done(long startedAt) {}

        @Override
        public void failed(SluiceException why) {}
    };

    private record Chunk(int channel, long transfer, long offset, long bytes) {}

    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    private static InboundTransfer inbound(long id, long length, long chunk) {
        InboundTransfer t = new InboundTransfer(
                id,
                PieceMap.range(new MemoryBlock(Nowhere.INSTANCE, 0), 0, length),
                null,
                TransferOptions.NONE,
                NOBODY);
        t.mostChunk = chunk;
        return t;
    }

    private static OutboundTransfer outbound(long id, long length, long chunk) {
        return new OutboundTransfer(
                id,
                PieceMap.range(new MemoryBlock(Nowhere.INSTANCE, 0), 0, length),
                null,
                TransferOptions.NONE,
                chunk,
                NOBODY);
    }

    private static long length(Random random, long chunk) {
        return switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> chunk * (1 + random.nextInt(20));
            case 3 -> chunk * (1 + random.nextInt(20)) + (random.nextBoolean() ? 1 : -1);
            default -> random.nextLong(chunk * 40);
        };
    }

    /** Asks channels in an order of its own until none has anything more. */
    private static <T extends ChunkedTransfer> List<Chunk> take(Striping<T> striping, int channels, Random random) {
        List<Chunk> taken = new ArrayList<>();
        ChunkPick<T> pick = new ChunkPick<>();
        int empty = 0;
        while (empty < 10 * channels) {
            int c = random.nextInt(channels);
            if (striping.next(c, pick)) {
                T t = pick.transfer();
                taken.add(new Chunk(c, t.id, pick.offset(), pick.bytes()));
                empty = 0;
            } else {
                empty++;
            }
        }
        ChunkPick<T> last = new ChunkPick<>();
        for (int c = 0; c < channels; c++) {
            while (striping.next(c, last)) {
                T t = last.transfer();
                taken.add(new Chunk(c, t.id, last.offset(), last.bytes()));
            }
        }
        return taken;
    }

    private static void mustCoverOnce(List<Chunk> taken, long[] lengths) {
        for (int id = 0; id < lengths.length; id++) {
            long n = id;
            List<Chunk> own = taken.stream()
                    .filter(c -> c.transfer == n)
                    .sorted((a, b) -> Long.compare(a.offset, b.offset))
                    .toList();
            long at = 0;
            for (Chunk c : own) {
                assertThat(c.offset).isEqualTo(at);
                assertThat(c.bytes).isPositive();
                at += c.bytes;
            }
            assertThat(at).isEqualTo(lengths[id]);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    @DisplayName("round-robin: every byte once, chunk i on channel i mod N, the same order at both ends")
    void roundRobin(long seed) {
        Random random = new Random(seed);
        int channels = 1 + random.nextInt(64);
        long chunk = 1L + random.nextInt(5000);
        RoundRobinStriping<OutboundTransfer> sender = new RoundRobinStriping<>(channels, chunk);
        RoundRobinStriping<InboundTransfer> receiver = new RoundRobinStriping<>(channels, chunk);
        long[] lengths = new long[1 + random.nextInt(150)];
        for (int id = 0; id < lengths.length; id++) {
            lengths[id] = length(random, chunk);
            sender.add(outbound(id, lengths[id], chunk));
            receiver.add(inbound(id, lengths[id], chunk));
        }
        List<Chunk> sent = take(sender, channels, random);
        List<Chunk> received = take(receiver, channels, random);
        mustCoverOnce(sent, lengths);
        mustCoverOnce(received, lengths);
        for (int c = 0; c < channels; c++) {
            int channel = c;
            assertThat(sent.stream().filter(x -> x.channel == channel).toList())
                    .isEqualTo(
                            received.stream().filter(x -> x.channel == channel).toList());
        }
        assertThat(sent).allMatch(c -> c.offset / chunk % channels == c.channel);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    @DisplayName("round-robin over few slots: the same, and nobody takes a chunk before all earlier ones are taken")
    void roundRobinInOrder(long seed) {
        Random random = new Random(seed);
        int channels = 1 + random.nextInt(16);
        long chunk = 1L + random.nextInt(5000);
        RoundRobinStriping<OutboundTransfer> striping = new RoundRobinStriping<>(channels, chunk);
        striping.dealInOrder();
        long[] lengths = new long[1 + random.nextInt(150)];
        for (int id = 0; id < lengths.length; id++) {
            lengths[id] = length(random, chunk);
            striping.add(outbound(id, lengths[id], chunk));
        }
        ChunkPick<OutboundTransfer> pick = new ChunkPick<>();
        for (int id = 0; id < lengths.length; id++) {
            for (long at = 0; at < lengths[id]; at += chunk) {
                int its = (int) (at / chunk % channels);
                for (int c = 0; c < channels; c++) {
                    assertThat(c == its || !(striping.hasNext(c) || striping.next(c, pick)))
                            .isTrue();
                }
                assertThat(striping.next(its, pick)).isTrue();
                assertThat(pick.transfer().id).isEqualTo(id);
                assertThat(pick.offset()).isEqualTo(at);
                assertThat(pick.bytes()).isEqualTo(Math.min(chunk, lengths[id] - at));
            }
        }
        for (int c = 0; c < channels; c++) {
            assertThat(striping.next(c, pick)).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    @DisplayName("pulled: every byte once, in order, whoever asks; what is taken back goes first, once")
    void pulled(long seed) {
        Random random = new Random(seed);
        int channels = 1 + random.nextInt(16);
        long chunk = 1L + random.nextInt(5000);
        PulledStriping striping = new PulledStriping(chunk, channels, false, c -> true);
        long[] lengths = new long[1 + random.nextInt(20)];
        List<InboundTransfer> transfers = new ArrayList<>();
        for (int id = 0; id < lengths.length; id++) {
            lengths[id] = length(random, chunk);
            InboundTransfer t = inbound(id, lengths[id], chunk);
            transfers.add(t);
            striping.add(t);
        }
        List<Chunk> taken = take(striping, channels, random);
        mustCoverOnce(taken, lengths);
        if (!taken.isEmpty()) {
            Chunk lost = taken.get(random.nextInt(taken.size()));
            striping.takeBack(transfers.get((int) lost.transfer), lost.offset, lost.bytes);
            assertThat(take(striping, channels, random))
                    .singleElement()
                    .matches(c -> c.transfer == lost.transfer && c.offset == lost.offset && c.bytes == lost.bytes);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    @DisplayName("granted: each channel sends what was granted on it in that order, never more than the window")
    void granted(long seed) {
        Random random = new Random(seed);
        int channels = 1 + random.nextInt(8);
        int window = 1 << random.nextInt(6);
        GrantedStriping striping = new GrantedStriping(channels, window);
        OutboundTransfer t = outbound(0, 1 << 20, 1);
        List<List<Long>> waiting = new ArrayList<>();
        for (int c = 0; c < channels; c++) {
            waiting.add(new ArrayList<>());
        }
        ChunkPick<OutboundTransfer> pick = new ChunkPick<>();
        for (int n = 0; n < 2000; n++) {
            int c = random.nextInt(channels);
            switch (random.nextInt(20)) {
                case 0 -> {
                    striping.clear(c);
                    waiting.get(c).clear();
                }
                case 1, 2, 3, 4, 5, 6, 7, 8, 9 -> {
                    boolean next = striping.next(c, pick);
                    assertThat(next).isEqualTo(!waiting.get(c).isEmpty());
                    if (next) {
                        assertThat(pick.offset()).isEqualTo(waiting.get(c).removeFirst());
                    }
                }
                default -> {
                    boolean taken = striping.grant(c, t, n, 1);
                    assertThat(taken).isEqualTo(waiting.get(c).size() < window);
                    if (taken) {
                        waiting.get(c).add((long) n);
                    }
                }
            }
            assertThat(t.granted)
                    .isEqualTo(waiting.stream().mapToInt(List::size).sum());
        }
    }

    @Test
    @DisplayName("lengths up to the largest are cut to the last byte, and only ranges of the stream are chunks")
    void largest() {
        OutboundTransfer t = outbound(0, Long.MAX_VALUE, 512 << 10);
        assertThat(t.isChunk(Long.MAX_VALUE - 5, 5)).isTrue();
        assertThat(t.isChunk(Long.MAX_VALUE - 5, 6)).isFalse();
        assertThat(t.isChunk(-1, 1)).isFalse();
        assertThat(t.isChunk(0, 0)).isFalse();
        assertThat(t.isChunk(0, (512 << 10) + 1)).isFalse();
        InboundTransfer in = inbound(0, Long.MAX_VALUE, Long.MAX_VALUE / 2);
        assertThat(in.cut()).isEqualTo(Long.MAX_VALUE / 2);
        assertThat(in.cut()).isEqualTo(Long.MAX_VALUE / 2);
        assertThat(in.cut()).isEqualTo(1);
        assertThat(in.hasNext()).isFalse();
    }

    @Test
    @DisplayName("round-robin over grants: chunk i waits for channel i mod N, and for any where that is lost")
    void roundRobinOverGrants() {
        boolean[] open = {true, true, true};
        PulledStriping striping = new PulledStriping(100, 3, true, c -> open[c]);
        striping.add(inbound(1, 600, 100));
        ChunkPick<InboundTransfer> pick = new ChunkPick<>();
        assertThat(striping.next(1, pick)).isFalse();
        assertThat(striping.next(0, pick)).isTrue();
        assertThat(striping.next(0, pick)).isFalse();
        assertThat(striping.next(1, pick)).isTrue();
        open[2] = false;
        assertThat(striping.next(1, pick)).isTrue();
        assertThat(striping.next(1, pick)).isFalse();
        assertThat(striping.next(0, pick)).isTrue();
        assertThat(pick.offset()).isEqualTo(300);
    }

    @Test
    @DisplayName("transfers take turns by bytes, a higher priority goes first")
    void turns() {
        PulledStriping striping = new PulledStriping(100, 1, false, c -> true);
        InboundTransfer large = inbound(1, 1000, 100);
        InboundTransfer small = inbound(2, 100, 20);
        InboundTransfer urgent = inbound(3, 150, 100);
        urgent.priority = 3;
        striping.add(large);
        ChunkPick<InboundTransfer> pick = new ChunkPick<>();
        List<Long> order = new ArrayList<>();
        for (int n = 0; n < 10; n++) {
            if (n == 1) {
                striping.add(small);
            } else if (n == 2) {
                striping.add(urgent);
            }
            assertThat(striping.next(0, pick)).isTrue();
            order.add(pick.transfer().id);
        }
        assertThat(order).containsExactly(1L, 1L, 3L, 3L, 2L, 2L, 2L, 2L, 2L, 1L);
    }

    @Test
    @DisplayName("a short transfer may go before its turn, once, and the others keep theirs; priorities hold")
    void shortOnesGoFirst() {
        PulledStriping striping = new PulledStriping(100, 4, false, c -> true);
        InboundTransfer long1 = inbound(1, 400, 100);
        InboundTransfer short2 = inbound(2, 100, 100);
        InboundTransfer short3 = inbound(3, 1, 100);
        InboundTransfer long4 = inbound(4, 200, 100);
        List.of(long1, short2, short3, long4).forEach(striping::add);
        assertThat(striping.waiting()).isEqualTo(4);
        ChunkPick<InboundTransfer> pick = new ChunkPick<>();
        List<Long> order = new ArrayList<>();
        assertThat(striping.nextShort(pick)).isTrue();
        order.add(pick.transfer().id);
        for (int n = 0; n < 3; n++) {
            assertThat(striping.next(0, pick)).isTrue();
            order.add(pick.transfer().id);
        }
        assertThat(striping.hasShort()).isFalse();
        while (striping.next(0, pick)) {
            order.add(pick.transfer().id);
        }
        assertThat(order).containsExactly(2L, 1L, 3L, 4L, 1L, 4L, 1L, 1L);
        assertThat(striping.waiting()).isZero();
        InboundTransfer urgent = inbound(5, 400, 100);
        urgent.priority = 1;
        striping.add(inbound(6, 10, 100));
        assertThat(striping.hasShort()).isTrue();
        striping.add(urgent);
        assertThat(striping.hasShort()).isFalse();
        striping.remove(urgent);
        assertThat(striping.nextShort(pick)).isTrue();
        assertThat(striping.next(0, pick)).isFalse();
        assertThat(striping.waiting()).isZero();
    }
}
