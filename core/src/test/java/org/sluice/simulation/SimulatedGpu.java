package org.sluice.simulation;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.ScatterList;
import org.sluice.spi.UnpackQueue;

/** A GPU whose copies take their time: some bytes move at once, the rest when a later look finds the copy done. */
@SuppressWarnings("restricted")
final class SimulatedGpu implements Gpu {
    /** All of it: lists of pieces are in real memory. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final Space space;
    private final Random random;
    private final String name;

    SimulatedGpu(Space space, Random random, String name) {
        this.space = space;
        this.random = random;
        this.name = name;
    }

    /** A run of bytes under way. */
    private record Piece(long from, long to, long bytes) {}

    /** Copies in order, each of one piece or of many. */
    private class Queue {
        private record Job(List<Piece> pieces, List<Space.Claim> claims) {}

        private final String who;
        private final int capacity;
        private final ArrayDeque<Job> jobs = new ArrayDeque<>();
        private long enqueued;
        private long completed;
        /** Jobs at the head that may make progress. */
        private int launched;

        Queue(String who, int capacity) {
            this.who = who;
            this.capacity = capacity;
        }

        long add(List<Piece> pieces, boolean launch) {
            if (jobs.size() == capacity) {
                throw new IllegalStateException(who + " has " + capacity + " copies in flight already");
            }
            List<Space.Claim> claims = new ArrayList<>();
            for (Piece p : pieces) {
                claims.add(space.claim(p.from, p.bytes, false, who));
                claims.add(space.claim(p.to, p.bytes, true, who));
            }
            if (launch && random.nextBoolean()) {
                for (Piece p : pieces) {
                    space.copy(p.from, p.to, random.nextLong(p.bytes + 1), who);
                }
            }
            jobs.add(new Job(pieces, claims));
            launched += launch ? 1 : 0;
            return ++enqueued;
        }

        boolean hasRoom() {
            if (jobs.size() == capacity) {
                completed();
            }
            return jobs.size() < capacity;
        }

        void launch() {
            launched = jobs.size();
        }

        long completed() {
            while (launched > 0 && random.nextInt(3) != 0) {
                Job job = jobs.remove();
                for (Piece p : job.pieces) {
                    space.copy(p.from, p.to, p.bytes, who);
                }
                job.claims.forEach(space::release);
                launched--;
                completed++;
            }
            return completed;
        }
    }

    @Override
    public CopyQueue copyQueue(CopyQueue.Direction direction, int capacity) {
        Queue queue = new Queue(name + " copies " + direction, capacity);
        return new CopyQueue() {
            @Override
            public long enqueue(long destination, long source, long bytes) {
                return queue.add(List.of(new Piece(source, destination, bytes)), true);
            }

            @Override
            public boolean hasRoom() {
                return queue.hasRoom();
            }

            @Override
            public long completed() {
                return queue.completed();
            }

            @Override
            public long enqueued() {
                return queue.enqueued;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public UnpackQueue unpackQueue(UnpackMode mode, int capacity) {
        Queue queue = new Queue(name + " unpacks", capacity);
        return new UnpackQueue() {
            @Override
            public long enqueue(ScatterList list, long destination, long bytes) {
                List<Piece> pieces = new ArrayList<>();
                for (int i = 0; i < list.count(); i++) {
                    pieces.add(new Piece(
                            list.bounceBuffer() + list.sourceOffset(i),
                            destination + list.destinationOffset(i),
                            list.length(i)));
                }
                return queue.add(pieces, false);
            }

            @Override
            public void flush() {
                queue.launch();
            }

            @Override
            public boolean hasRoom() {
                return queue.hasRoom();
            }

            @Override
            public long completed() {
                return queue.completed();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public PieceQueue pieceQueue(PieceQueue.Direction direction, int chunks, int pieces) {
        Queue queue = new Queue(name + " pieces " + direction, chunks);
        return new PieceQueue() {
            @Override
            public boolean hasRoom(int more) {
                return queue.hasRoom();
            }

            @Override
            public long enqueue(long list, int count, long range, long bytes) {
                List<Piece> moves = new ArrayList<>();
                long at = range;
                for (int i = 0; i < count; i++) {
                    long address = MEMORY.get(ValueLayout.JAVA_LONG, list + (long) i * PIECE_BYTES);
                    long length = MEMORY.get(ValueLayout.JAVA_LONG, list + (long) i * PIECE_BYTES + 8);
                    moves.add(
                            direction == Direction.GATHER
                                    ? new Piece(address, at, length)
                                    : new Piece(at, address, length));
                    at += length;
                }
                if (at - range != bytes) {
                    throw new IllegalArgumentException("pieces of " + (at - range) + " bytes for a range of " + bytes);
                }
                return queue.add(moves, false);
            }

            @Override
            public void flush() {
                queue.launch();
            }

            @Override
            public long completed() {
                return queue.completed();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public int id() {
        return 0;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public MemoryKind memoryKind() {
        return MemoryKind.CUDA;
    }

    @Override
    public @Nullable String pciBusId() {
        return null;
    }

    @Override
    public void bindThread() {}

    @Override
    public GpuMemory allocate(long bytes) {
        return space.allocate(name + " memory", bytes, MemoryKind.CUDA);
    }

    @Override
    public GpuMemory adopt(long address, long bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public GpuMemory allocatePinned(long bytes) {
        return space.allocate(name + " pinned slots", bytes, MemoryKind.HOST);
    }

    @Override
    public void write(GpuMemory target, long offset, MemorySegment source) {
        space.release(space.claim(target.address() + offset, source.byteSize(), true, name + " writes at once"));
        byte[] bytes = ((Space.Block) target).bytes;
        MemorySegment.ofArray(bytes).asSlice(offset, source.byteSize()).copyFrom(source);
    }

    @Override
    public void read(GpuMemory source, long offset, MemorySegment target) {
        byte[] bytes = ((Space.Block) source).bytes;
        target.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, target.byteSize()));
    }

    @Override
    public void fill(GpuMemory target, long offset, long bytes, long seed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long mismatch(GpuMemory memory, long offset, long bytes, long seed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
