package org.sluice.bench;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelTiming;
import org.sluice.stats.ChunkEvent;
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

/**
 * What the engine itself costs per chunk, both sides together: striping, windows, grants, completions, counters. Two engines and
 * a transport that moves nothing, in one thread; one transfer that does not end, so that no transfer is made or finished.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class EngineBenchmark {
    private static final int CHUNKS = 4096;
    private static final int WINDOW = 16;
    private static final long CHUNK_BYTES = 512 << 10;
    private static final long ENDLESS = 1L << 62;

    @Param({"1", "8", "64"})
    public int channels;

    @Param({"false", "true"})
    public boolean instrumented;

    @Param({"ADAPTIVE", "ROUND_ROBIN"})
    public org.sluice.Striping striping;

    /** Of the pieces that chunks are made of, twice as far apart, at both ends; 0: one range. The time is a chunk's all the same. */
    @Param("0")
    public int pieceBytes;

    private LinkEngine sender;
    private LinkEngine receiver;
    private ChannelCounters[] landed;
    private long now;

    /** What one engine says, told to the other at once. */
    private static final class Wire implements LinkControl {
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
            throw new UnsupportedOperationException();
        }

        @Override
        public void read(Announcement read, RemoteRegion from, long offset, int layout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void layout(int number, RemoteLayout layout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void prepare(int number) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void release(int number) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void selection(int number, int prepared, int[] indices, int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void refused(long id, TransferRefusal why, long detail) {
            throw new IllegalStateException(why.text());
        }

        @Override
        public void probe() {
            peer.heard(0);
        }

        @Override
        public void channelDown(boolean peerSends, int channel, int generation, String why) {
            throw new IllegalStateException(why);
        }
    }

    /** Addresses only: nobody touches the bytes. */
    private record Unbacked(long address, long size) implements GpuMemory {
        @Override
        public MemoryKind kind() {
            return MemoryKind.HOST;
        }

        @Override
        public Optional<MemorySegment> host() {
            return Optional.empty();
        }

        @Override
        public void close() {}
    }

    private static final Completion MUST_NOT_END = new Completion() {
        @Override
        public void done(long started) {
            throw new IllegalStateException("the endless transfer ended");
        }

        @Override
        public void failed(SluiceException why) {
            throw why;
        }
    };

    private static final PieceQueues NO_PIECES = new PieceQueues() {
        @Override
        public PieceQueue gather() {
            throw new UnsupportedOperationException();
        }

        @Override
        public PieceQueue scatter() {
            throw new UnsupportedOperationException();
        }

        @Override
        public GpuMemory allocate(long bytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void read(GpuMemory from, long offset, MemorySegment to) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void write(GpuMemory to, long offset, MemorySegment from) {
            throw new UnsupportedOperationException();
        }
    };

    @Setup
    public void connect() throws TransportException {
        EngineSettings settings = new EngineSettings(
                CHUNK_BYTES,
                striping == org.sluice.Striping.ROUND_ROBIN,
                WINDOW,
                WINDOW,
                400_000_000,
                true,
                0,
                org.sluice.Where.NOWHERE);
        Wire toReceiver = new Wire();
        Wire toSender = new Wire();
        sender = new LinkEngine(
                settings, toReceiver, (high, low) -> null, channels, 0, null, NO_PIECES, (bytes, tag, length) -> {});
        receiver = new LinkEngine(
                settings, toSender, (high, low) -> null, 0, channels, null, NO_PIECES, (bytes, tag, length) -> {});
        toReceiver.peer = receiver;
        toSender.peer = sender;
        landed = new ChannelCounters[channels];
        for (int c = 0; c < channels; c++) {
            MemoryRail rail = new MemoryRail();
            landed[c] = counters(c, "receive");
            sender.open(new OutboundEnd(c, 0, rail.sender(), counters(c, "send"), null, pieceBytes > 0));
            receiver.open(new InboundEnd(c, 0, rail.receiver(), landed[c], null, null, pieceBytes > 0));
        }
        MemoryBlock block = new MemoryBlock(new Unbacked(4096, ENDLESS), 0);
        receiver.receive(map(block), TransferOptions.NONE, MUST_NOT_END, 0);
        sender.send(map(block), TransferOptions.NONE, MUST_NOT_END, 0);
    }

    private PieceMap map(MemoryBlock block) {
        if (pieceBytes == 0) {
            return PieceMap.range(block, 0, ENDLESS);
        }
        long stride = 2L * pieceBytes;
        Pieces.Strided rows = new Pieces.Strided(0, pieceBytes, stride, ENDLESS / stride, 0, 1);
        return PieceMap.of(new MemoryBlock[] {block}, rows);
    }

    private ChannelCounters counters(int channel, String direction) {
        ChunkEvent.Source source = new ChunkEvent.Source(0, channel, direction, "memory");
        return new ChannelCounters(instrumented ? new ChannelTiming(source) : null);
    }

    private long landed() {
        long sum = 0;
        for (ChannelCounters c : landed) {
            sum += c.chunks();
        }
        return sum;
    }

    /** Turns both engines until so many chunks more have landed. */
    @Benchmark
    @OperationsPerInvocation(CHUNKS)
    public long chunk() {
        long end = landed() + CHUNKS;
        long count = end - CHUNKS;
        while (count < end) {
            now += 1000; // a clock that runs, so that the adaptive window does what it does
            receiver.doWork(now);
            sender.doWork(now);
            count = landed();
        }
        return count;
    }
}
