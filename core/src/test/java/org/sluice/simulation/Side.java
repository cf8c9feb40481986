package org.sluice.simulation;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;
import org.sluice.transfer.EngineSettings;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PieceQueues;
import org.sluice.transfer.RegionDirectory;

/** One node of the simulation: its engine, its GPU, its regions, and what a link session does around them. */
final class Side implements RegionDirectory {
    /** Virtual time that a wire may be silent: far longer than one that works ever is. */
    private static final long STALL_NANOS = 300_000_000;

    final String name;
    final SimulatedGpu gpu;
    final Mailbox says;
    final CopyQueue toHost;
    final CopyQueue toGpu;
    final UnpackQueue unpack;
    /** What the program here was told, and has not taken yet. */
    final ArrayDeque<Told> notified = new ArrayDeque<>();

    private Consumer<byte[]> told = bytes -> {};
    private final LinkEngine engine;
    private final boolean reconnects;
    private final Map<Long, Held> regions = new HashMap<>();
    private final List<Boolean> numbers = new ArrayList<>();
    private final List<MemoryBlock> leaving = new ArrayList<>();

    /** A notification. */
    record Told(byte[] bytes, long length) {}

    /** A region that a peer may name. */
    static final class Held implements Claim {
        final MemoryBlock block;
        int uses;

        Held(MemoryBlock block) {
            this.block = block;
        }

        @Override
        public MemoryBlock block() {
            return block;
        }

        @Override
        public boolean allows(boolean write) {
            return true;
        }

        @Override
        public void release() {
            if (uses == 0) {
                throw new AssertionError("a region was released more often than claimed");
            }
            uses--;
        }
    }

    Side(String name, SimulatedGpu gpu, Scenario scenario, Mailbox says) {
        this.name = name;
        this.gpu = gpu;
        this.says = says;
        this.reconnects = scenario.reconnects();
        this.toHost = gpu.copyQueue(CopyQueue.Direction.TO_HOST, scenario.queued());
        this.toGpu = gpu.copyQueue(CopyQueue.Direction.TO_GPU, scenario.queued());
        this.unpack = gpu.unpackQueue(UnpackMode.KERNEL, scenario.queued());
        this.engine = new LinkEngine(
                new EngineSettings(
                        scenario.chunkBytes(),
                        scenario.roundRobin(),
                        scenario.window(),
                        scenario.sendWindow(),
                        STALL_NANOS,
                        scenario.confirmed(),
                        scenario.smallBytes(),
                        org.sluice.Where.NOWHERE.peer(name)),
                says,
                this,
                scenario.channels(),
                scenario.channels(),
                scenario.scatters() ? unpack : null,
                pieces(),
                (bytes, tag, length) -> {
                    told.accept(bytes);
                    notified.add(new Told(bytes, length));
                });
    }

    private PieceQueues pieces() {
        PieceQueue gather = gpu.pieceQueue(PieceQueue.Direction.GATHER, 64, 1 << 20);
        PieceQueue scatter = gpu.pieceQueue(PieceQueue.Direction.SCATTER, 64, 1 << 20);
        return new PieceQueues() {
            @Override
            public PieceQueue gather() {
                return gather;
            }

            @Override
            public PieceQueue scatter() {
                return scatter;
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
        };
    }

    /** @param to told of each notification as the program would be */
    void tells(Consumer<byte[]> to) {
        told = to;
    }

    LinkEngine engine() {
        return engine;
    }

    MemoryBlock block(Space.Block memory) {
        int n = numbers.indexOf(false);
        if (n < 0) {
            n = numbers.size();
            numbers.add(true);
        } else {
            numbers.set(n, true);
        }
        return new MemoryBlock(memory, n);
    }

    /** Frees memory as a node does: first every channel forgets it, and not from within a completion. */
    void freeLater(MemoryBlock block) {
        leaving.add(block);
    }

    void share(long key, MemoryBlock block) {
        regions.put(key, new Held(block));
    }

    Held region(long key) {
        Held found = regions.get(key);
        if (found == null) {
            throw new AssertionError("no region " + key);
        }
        return found;
    }

    @Override
    public @Nullable Claim claim(long keyHigh, long keyLow) {
        Held found = keyHigh == 0 ? regions.get(keyLow) : null;
        if (found != null) {
            found.uses++;
        }
        return found;
    }

    /** Runs a call into the engine; what it throws ends the link, as a link session does. */
    void with(Runnable call) {
        try {
            call.run();
        } catch (SluiceException e) {
            fail(e);
        }
    }

    private void fail(SluiceException why) {
        if (engine.failure() == null) {
            engine.fail(why);
            says.tell(peer -> peer.with(() -> {
                throw new LinkException("the peer gave the link up: " + why.getMessage());
            }));
        }
    }

    /** One turn of the agent. */
    void turn(long now) {
        with(() -> {
            engine.doWork(now);
            if (!reconnects && (engine.openChannels(true) == 0 || engine.openChannels(false) == 0)) {
                throw new LinkException("every channel of a direction is lost, and none will come back");
            }
        });
        for (MemoryBlock b : leaving) {
            try {
                engine.forget(b);
            } catch (TransportException e) {
                throw new AssertionError(e);
            }
            b.memory().close();
            numbers.set(b.number(), false);
        }
        leaving.clear();
    }

    @Override
    public String toString() {
        return name;
    }
}
