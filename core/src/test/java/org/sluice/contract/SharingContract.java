package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.sluice.spi.PieceCursor;
import org.sluice.spi.PieceTable;
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
        try (GpuMemory mine = gpu.allocate(BYTES);
                ListQueue queue = sharing().listQueue(4)) {
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
            move(queue, table(from), table(to), most);
            expect(mine, expected);
            PieceTable cut = table(to.subList(0, to.size() - 1));
            assertThatThrownBy(() -> queue.enqueue(table(from), cut, 0, most))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private void expect(GpuMemory block, byte[] expected) {
        byte[] got = new byte[expected.length];
        gpu.read(block, 0, MemorySegment.ofArray(got));
        assertThat(MemorySegment.ofArray(got).mismatch(MemorySegment.ofArray(expected)))
                .as("first wrong byte")
                .isEqualTo(-1);
    }

    private static PieceTable table(List<long[]> pieces) {
        long[] addresses = new long[pieces.size()];
        long[] ends = new long[pieces.size()];
        int n = 0;
        long at = 0;
        for (long[] p : pieces) {
            if (p[1] > 0) {
                at += p[1];
                addresses[n] = p[0];
                ends[n++] = at;
            }
        }
        return new PieceTable.Listed(addresses, ends, n);
    }

    /** A whole stream, in as many moves as the queue makes of it. */
    protected static void move(ListQueue queue, PieceTable from, PieceTable to, long bytes) {
        long ticket = queue.completed();
        long deadline = System.nanoTime() + PieceCase.DEADLINE_NANOS;
        for (long at = 0; at < bytes; ) {
            long some = queue.enqueue(from, to, at, bytes - at);
            at += some;
            ticket += some > 0 ? 1 : 0;
            queue.flush();
            assertThat(System.nanoTime()).as("taken in time").isLessThan(deadline);
        }
        while (queue.completed() < ticket) {
            assertThat(System.nanoTime()).as("done in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    /** Blocks of one size, rows, a range and a list: each from and to each, and nothing outside of them is touched. */
    @Test
    @DisplayName("tables of every form move to tables of every form, blocks of other sizes and at odd places too")
    void forms() {
        try (SharingProcess peer = peer(BYTES, 0);
                PeerMemory theirs = sharing().peer("peer");
                GpuMemory block = theirs.open(peer.parts());
                GpuMemory mine = gpu.allocate(BYTES);
                ListQueue queue = sharing().listQueue(4)) {
            byte[] now = pattern(1);
            int bytes = 240_000;
            for (int size : new int[] {1, 16, 750, 4000, 5000}) {
                for (PieceTable from : tables(block.address() + 3, size, bytes, 1)) {
                    // those of half and of another size: the borders do not meet
                    for (PieceTable to : tables(mine.address() + 5, size == 1 ? 1 : size / 2 * 3 / 2 * 2, bytes, 2)) {
                        long most = Math.min(from.bytes(), to.bytes());
                        byte[] expected = new byte[BYTES];
                        gpu.write(mine, 0, MemorySegment.ofArray(expected));
                        PieceCursor source = new PieceCursor();
                        PieceCursor target = new PieceCursor();
                        source.seek(from, 0);
                        target.seek(to, 0);
                        for (long at = 0; at < most; ) {
                            int n = (int) Math.min(most - at, Math.min(source.left(), target.left()));
                            int a = (int) (source.address() - block.address());
                            System.arraycopy(now, a, expected, (int) (target.address() - mine.address()), n);
                            source.skip(n);
                            target.skip(n);
                            at += n;
                        }
                        move(queue, from, to, most);
                        expect(mine, expected);
                    }
                }
            }
        }
    }

    /** One stream in every form, in 4 * bytes of memory. */
    private static List<PieceTable> tables(long base, int size, int bytes, long seed) {
        int count = bytes / size;
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(seed));
        int[] indices = order.stream().mapToInt(i -> i).toArray();
        long[] addresses = new long[count];
        long[] ends = new long[count];
        for (int i = 0; i < count; i++) {
            addresses[i] = base + (long) indices[i] * (size + size / 3);
            ends[i] = (i + 1L) * size;
        }
        long stride = size + size / 2L;
        return List.of(
                PieceTable.Rows.range(base, bytes),
                new PieceTable.Blocks(base, stride, size, indices, count),
                new PieceTable.Rows(base, size, stride, 5, 5 * stride + 1, count),
                new PieceTable.Listed(addresses, ends, count));
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
