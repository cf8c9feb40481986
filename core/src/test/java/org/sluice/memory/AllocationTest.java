package org.sluice.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;
import org.sluice.Where;
import org.sluice.host.HostGpuBackend;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.Completion;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.EngineSettings;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkControl;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.OutboundEnd;
import org.sluice.transfer.PieceMap;
import org.sluice.transfer.PieceQueues;
import org.sluice.transfer.StagingPool;
import org.sluice.transfer.StagingShare;

/** In steady state the data plane allocates nothing: counted by the JVM, over transfers of many chunks, both ends together. */
final class AllocationTest {
    private static final int CHANNELS = 4;
    private static final int WINDOW = 16;
    private static final long CHUNK = 64;
    private static final long CHUNKS = 100_000;
    private static final int WARM_UP = 3;

    /** What one engine says, told to the other at once. */
    private static final class Direct implements LinkControl {
        private LinkEngine peer;

        @Override
        public boolean hasRoom() {
            return true;
        }

        @Override
        public void open(Announcement send) {
            peer.requests().onOpen(send, 0);
        }

        @Override
        public void prepare(int number) {
            throw new AssertionError("nothing was prepared");
        }

        @Override
        public void release(int number) {
            throw new AssertionError("nothing was prepared");
        }

        @Override
        public void selection(int number, int prepared, int[] indices, int count) {
            throw new AssertionError("nothing was prepared");
        }

        @Override
        public void bytes(int length, Consumer<MemorySegment> fill) {
            MemorySegment bytes = MemorySegment.ofArray(new byte[length]);
            fill.accept(bytes);
            peer.requests().onBytes(bytes);
        }

        @Override
        public void notification(byte[] bytes) {
            peer.requests().onNotification(bytes);
        }

        @Override
        public void taken(long cost) {
            peer.requests().onTaken(cost);
        }

        @Override
        public void cancel(long id, EndReason why) {
            peer.requests().onCancel(id, why);
        }

        @Override
        public void ended(long id, EndReason why) {
            peer.requests().onEnded(id, why);
        }

        @Override
        public void grant(long id, long offset, long bytes, int channel, int generation) {
            peer.requests().onGrant(id, offset, bytes, channel, generation);
        }

        @Override
        public void landed(long id) {
            peer.requests().onLanded(id);
        }

        @Override
        public void write(Announcement write, RemoteRegion to, long offset, int layout) {
            throw new AssertionError("no write was asked for");
        }

        @Override
        public void read(Announcement read, RemoteRegion from, long offset, int layout) {
            throw new AssertionError("no read was asked for");
        }

        @Override
        public void layout(int number, RemoteLayout layout) {
            throw new AssertionError("no read was asked for");
        }

        @Override
        public void refused(long id, TransferRefusal why, long detail) {
            throw new AssertionError(why.text());
        }

        @Override
        public void probe() {}

        @Override
        public void channelDown(boolean peerSends, int channel, int generation, String why) {
            throw new AssertionError(why);
        }
    }

    private static final class Ended implements Completion {
        private boolean done;

        @Override
        public void done(long startedAt) {
            done = true;
        }

        @Override
        public void failed(SluiceException why) {
            throw why;
        }
    }

    /** What a node's agent gives. */
    private record GpuPieces(Gpu gpu, PieceQueue gather, PieceQueue scatter) implements PieceQueues {
        GpuPieces(Gpu gpu) {
            this(
                    gpu,
                    gpu.pieceQueue(PieceQueue.Direction.GATHER, 1024, 1024),
                    gpu.pieceQueue(PieceQueue.Direction.SCATTER, 1024, 1024));
        }

        @Override
        public GpuMemory allocate(long bytes) {
            return gpu.allocate(bytes);
        }

        @Override
        public void read(GpuMemory from, long offset, MemorySegment to) {
            gpu.read(from, offset, to);
        }

        @Override
        public void write(GpuMemory to, long offset, MemorySegment from) {
            gpu.write(to, offset, from);
        }
    }

    /** All of the block, each chunk in so many pieces, no two neighbours. */
    private static PieceMap map(MemoryBlock block, int pieces) {
        if (pieces == 1) {
            return PieceMap.range(block, 0, CHUNK * CHUNKS);
        }
        int count = (int) CHUNKS * pieces;
        int[] indices = new int[count];
        for (int i = 0; i < count; i++) {
            indices[i] = (int) ((long) i * 7919 % count);
        }
        return PieceMap.of(new MemoryBlock[] {block}, new Pieces.Blocks(0, CHUNK / pieces, indices));
    }

    @ParameterizedTest
    @CsvSource({
        "false, false, 1",
        "true, false, 1",
        "false, true, 1",
        "true, true, 1",
        "false, false, 4",
        "false, true, 4"
    })
    @DisplayName(
            "less than a byte is allocated for each chunk, adaptive and round-robin, with and without staging, of one piece and of many")
    void perChunk(boolean roundRobin, boolean staged, int pieces) throws TransportException {
        Gpu gpu = new HostGpuBackend().open(0);
        MemoryTransport transport = new MemoryTransport(1, WINDOW);
        EngineSettings settings = new EngineSettings(CHUNK, roundRobin, WINDOW, WINDOW, 0, true, 0, Where.NOWHERE);
        Direct toReceiver = new Direct();
        Direct toSender = new Direct();
        LinkEngine sender = new LinkEngine(
                settings,
                toReceiver,
                (high, low) -> null,
                CHANNELS,
                0,
                null,
                new GpuPieces(gpu),
                (bytes, tag, length) -> {});
        LinkEngine receiver = new LinkEngine(
                settings,
                toSender,
                (high, low) -> null,
                0,
                CHANNELS,
                null,
                new GpuPieces(gpu),
                (bytes, tag, length) -> {});
        toReceiver.peer = receiver;
        toSender.peer = sender;
        CopyQueue toHost = gpu.copyQueue(CopyQueue.Direction.TO_HOST, 1024);
        CopyQueue toGpu = gpu.copyQueue(CopyQueue.Direction.TO_GPU, 1024);
        StagingPool sendPool = new StagingPool(gpu, () -> toHost, 24 * CHUNK);
        StagingPool receivePool = new StagingPool(gpu, () -> toGpu, 24 * CHUNK);
        StagingShare slotsOut = staged ? sendPool.share(() -> {}, "receiver", CHUNK, 8) : null;
        StagingShare slotsIn = staged ? receivePool.share(() -> {}, "sender", CHUNK, 8) : null;
        for (int c = 0; c < CHANNELS; c++) {
            ChannelContext context = new ChannelContext(gpu, c, () -> {});
            Listener listener = transport.listen(0, context);
            SendChannel out = transport.connect(0, listener.handle(), context).connect();
            ReceiveChannel in = listener.accept();
            assertThat(out).isNotNull();
            assertThat(in).isNotNull();
            sender.open(new OutboundEnd(c, 0, out, new ChannelCounters(), slotsOut, false));
            receiver.open(new InboundEnd(c, 0, in, new ChannelCounters(), slotsIn, null, false));
        }
        MemoryBlock source = new MemoryBlock(gpu.allocate(CHUNK * CHUNKS), 0);
        MemoryBlock target = new MemoryBlock(gpu.allocate(CHUNK * CHUNKS), 1);
        PieceMap from = map(source, pieces);
        PieceMap to = map(target, pieces);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = 0;
        for (int n = 0; n <= WARM_UP; n++) {
            gpu.fill(source.memory(), 0, CHUNK * CHUNKS, n);
            Ended sent = new Ended();
            Ended received = new Ended();
            long before = threads.getCurrentThreadAllocatedBytes();
            receiver.receive(to, TransferOptions.NONE, received, 0);
            sender.send(from, TransferOptions.NONE, sent, 0);
            for (long now = 1; !sent.done || !received.done; now += 1000) {
                receiver.doWork(now);
                sender.doWork(now);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(gpu.mismatch(target.memory(), 0, CHUNK * CHUNKS, n)).isEqualTo(-1);
        }
        assertThat(allocated).as("bytes allocated for %d chunks", CHUNKS).isLessThan(CHUNKS);
        source.memory().close();
        target.memory().close();
        transport.close();
    }
}
