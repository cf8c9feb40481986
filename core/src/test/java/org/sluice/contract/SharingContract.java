package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ListQueue;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/** Memory of one process in the hands of another: two real processes for every test. */
@Timeout(120)
public abstract class SharingContract {
    protected static final int BYTES = (1 << 20) + 24;

    private Gpu gpu;

    /** Opens the GPU under test. */
    protected abstract Gpu openGpu();

    /** Starts a process that shares the end of a block, from an offset. */
    protected abstract SharingProcess peer(long bytes, long offset);

    /** Looks for what was left behind. */
    protected void afterClose() {}

    @BeforeEach
    final void open() {
        gpu = openGpu();
        gpu.bindThread();
    }

    @AfterEach
    final void close() {
        gpu.close();
        afterClose();
    }

    protected final Gpu gpu() {
        return gpu;
    }

    protected final MemorySharing sharing() {
        return gpu.sharing().orElseThrow();
    }

    @Test
    @DisplayName("a block is copied from and to another process, as it is now and not as it was when it was opened")
    void copies() {
        try (SharingProcess peer = peer(BYTES, 0);
                PeerMemory theirs = sharing().peer("peer");
                GpuMemory block = theirs.open(peer.parts());
                GpuMemory mine = gpu.allocate(BYTES);
                CopyQueue queue = sharing().copyQueue(4)) {
            assertThat(block.size()).isEqualTo(BYTES);
            expect(queue, block, mine, 1);
            peer.fill(2);
            expect(queue, block, mine, 2);
            gpu.fill(mine, 0, BYTES, 3);
            await(queue, queue.enqueue(block.address(), mine.address(), BYTES));
            assertThat(peer.mismatch(3)).isEqualTo(-1);
        }
    }

    /** Copies the whole of a peer's block and compares it. */
    protected final void expect(CopyQueue queue, GpuMemory block, GpuMemory mine, long seed) {
        gpu.fill(mine, 0, mine.size(), ~seed);
        await(queue, queue.enqueue(mine.address(), block.address(), block.size()));
        assertThat(gpu.mismatch(mine, 0, block.size(), seed)).isEqualTo(-1);
    }

    @Test
    @DisplayName("lists that are cut differently on both sides move straight from process to process")
    void lists() {
        try (SharingProcess peer = peer(BYTES, 0);
                PeerMemory theirs = sharing().peer("peer");
                GpuMemory block = theirs.open(peer.parts())) {
            for (int longest : new int[] {1, 100, 5000, 300_000}) {
                lists(peer, block, longest);
            }
        }
    }

    /** Pieces up to a length move from a peer's block, which still has its first pattern, to pieces of a block here. */
    protected final void lists(SharingProcess peer, GpuMemory block, int longest) {
        int most = Math.min(BYTES / 2, 3000 * longest);
        Random random = new Random(longest);
        List<long[]> from = pieces(random, longest, most, block.address());
        byte[] now = pattern(1);
        assertThat(peer.mismatch(1)).isEqualTo(-1);
        byte[] expected = new byte[BYTES];
        try (Arena arena = Arena.ofConfined();
                GpuMemory mine = gpu.allocate(BYTES);
                ListQueue queue = sharing().listQueue(4, 40_000)) {
            gpu.write(mine, 0, MemorySegment.ofArray(expected));
            List<long[]> to = pieces(random, longest, most, mine.address());
            byte[] stream = new byte[most];
            int at = 0;
            for (long[] p : from) {
                System.arraycopy(now, (int) (p[0] - block.address()), stream, at, (int) p[1]);
                at += (int) p[1];
            }
            at = 0;
            for (long[] p : to) {
                System.arraycopy(stream, at, expected, (int) (p[0] - mine.address()), (int) p[1]);
                at += (int) p[1];
            }
            MemorySegment sources = PieceCase.list(arena, from.toArray(long[][]::new));
            MemorySegment destinations = PieceCase.list(arena, to.toArray(long[][]::new));
            assertThat(queue.hasRoom(from.size() + to.size())).isTrue();
            long ticket = queue.enqueue(sources.address(), from.size(), destinations.address(), to.size(), most);
            queue.flush();
            long deadline = System.nanoTime() + PieceCase.DEADLINE_NANOS;
            while (queue.completed() < ticket) {
                assertThat(System.nanoTime()).as("done in time").isLessThan(deadline);
                Thread.onSpinWait();
            }
            byte[] got = new byte[BYTES];
            gpu.read(mine, 0, MemorySegment.ofArray(got));
            assertThat(MemorySegment.ofArray(got).mismatch(MemorySegment.ofArray(expected)))
                    .as("first wrong byte")
                    .isEqualTo(-1);
            assertThatThrownBy(() ->
                            queue.enqueue(sources.address(), from.size(), destinations.address(), to.size() - 1, most))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private byte[] pattern(long seed) {
        byte[] bytes = new byte[BYTES];
        try (GpuMemory block = gpu.allocate(BYTES)) {
            gpu.fill(block, 0, BYTES, seed);
            gpu.read(block, 0, MemorySegment.ofArray(bytes));
        }
        return bytes;
    }

    /** So many bytes in random order, some pieces empty, each in a place of its own. */
    private static List<long[]> pieces(Random random, int longest, int bytes, long base) {
        List<long[]> all = new ArrayList<>();
        int gaps = BYTES - bytes;
        long at = 0;
        for (int left = bytes; left > 0; ) {
            int gap = random.nextInt(7) == 0 ? 0 : Math.min(gaps, random.nextInt(16));
            gaps -= gap;
            at += gap;
            int n = random.nextInt(9) == 0 ? 0 : Math.min(left, 1 + random.nextInt(longest));
            all.add(new long[] {base + at, n});
            at += n;
            left -= n;
        }
        Collections.shuffle(all, random);
        return all;
    }

    @Test
    @DisplayName("an allocation is opened once, however often it is asked for, and let go with the last that uses it")
    void counts() {
        PeerMemory theirs = sharing().peer("peer"); // closed below
        try (SharingProcess peer = peer(BYTES, 0);
                GpuMemory mine = gpu.allocate(BYTES);
                CopyQueue queue = sharing().copyQueue(4)) {
            GpuMemory first = theirs.open(peer.parts());
            GpuMemory second = theirs.open(peer.parts());
            assertThat(theirs.opened()).isEqualTo(1);
            assertThat(second.address()).isEqualTo(first.address());
            first.close();
            first.close();
            assertThat(theirs.opened()).isEqualTo(1);
            expect(queue, second, mine, 1);
            second.close();
            assertThat(theirs.opened()).isZero();
            try (GpuMemory third = theirs.open(peer.parts())) {
                expect(queue, third, mine, 1);
            }
            // what is still open goes with the peer, and closing it afterwards is nothing
            GpuMemory last = theirs.open(peer.parts());
            theirs.close();
            last.close();
            assertThatThrownBy(() -> theirs.open(peer.parts())).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    @DisplayName("a process that is killed takes nothing with it: what was opened is read on and closed")
    void killed() {
        try (SharingProcess peer = peer(BYTES, 0);
                PeerMemory theirs = sharing().peer("peer");
                GpuMemory block = theirs.open(peer.parts());
                GpuMemory mine = gpu.allocate(BYTES);
                CopyQueue queue = sharing().copyQueue(64)) {
            peer.fill(9);
            for (int i = 0; i < 32; i++) {
                queue.enqueue(mine.address(), block.address(), BYTES);
            }
            peer.kill();
            await(queue, 32);
            assertThat(gpu.mismatch(mine, 0, BYTES, 9)).isEqualTo(-1);
            expect(queue, block, mine, 9);
        }
    }

    @Test
    @DisplayName("parts that are not what they say are refused by name, and nothing stays open")
    void lies() {
        try (SharingProcess peer = peer(BYTES, 0);
                PeerMemory theirs = sharing().peer("the peer")) {
            SharedPart honest = peer.parts().getFirst();
            long beyond = honest.allocationBytes() * 1000;
            SharedPart longer = new SharedPart(
                    honest.kind(),
                    honest.allocation(),
                    beyond,
                    honest.offset(),
                    beyond - honest.offset(),
                    honest.handle(),
                    honest.descriptor());
            assertThatThrownBy(() -> theirs.open(List.of(longer)))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("the peer");
            assertThat(theirs.opened()).isZero();
            assertThatThrownBy(() -> theirs.open(List.of())).isInstanceOf(GpuException.class);
            List<SharedPart> twice = new ArrayList<>(peer.parts());
            twice.addAll(peer.parts());
            assertThatThrownBy(() -> theirs.open(twice)).isInstanceOf(GpuException.class);
            assertThat(theirs.opened()).isZero();
        }
        assertThatThrownBy(() -> new SharedPart(SharedPart.Kind.MEMFD, 1, 10, 5, 6, new byte[0], 3))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SharedPart(SharedPart.Kind.MEMFD, 1, 10, Long.MAX_VALUE, 6, new byte[0], 3))
                .isInstanceOf(IllegalArgumentException.class);
    }

    protected static void await(CopyQueue queue, long ticket) {
        long deadline = System.nanoTime() + PieceCase.DEADLINE_NANOS;
        while (queue.completed() < ticket) {
            assertThat(System.nanoTime()).as("done in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
