package org.sluice.simulation;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/**
 * All memory of a simulation. Addresses are made up, so that a stray access is an error here and not a crash; and whoever reads
 * or writes a range later claims it first, so that two writers of one place, or a block freed too early, are seen at once.
 */
final class Space {
    /** Between blocks, so that nothing that runs over an end meets the next block. */
    private static final long GAP = 4096;

    private final TreeMap<Long, Block> blocks = new TreeMap<>();
    private final List<Claim> claims = new ArrayList<>();
    private long next = 1 << 20;

    /** A range in use. */
    static final class Claim {
        private final Block block;
        private final long start;
        private final long end;
        private final boolean writes;
        private final String who;

        private Claim(Block block, long start, long end, boolean writes, String who) {
            this.block = block;
            this.start = start;
            this.end = end;
            this.writes = writes;
            this.who = who;
        }

        @Override
        public String toString() {
            return who + (writes ? " writing " : " reading ") + (end - start) + " bytes of " + block.name + " at "
                    + (start - block.address);
        }
    }

    /** One allocation. */
    final class Block implements GpuMemory {
        private final String name;
        private final long address;
        private final MemoryKind kind;
        final byte[] bytes;
        private boolean freed;

        private Block(String name, long address, int size, MemoryKind kind) {
            this.name = name;
            this.address = address;
            this.bytes = new byte[size];
            this.kind = kind;
        }

        @Override
        public long address() {
            return address;
        }

        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public MemoryKind kind() {
            return kind;
        }

        @Override
        public Optional<MemorySegment> host() {
            return Optional.empty();
        }

        /** Fails when somebody still uses it: what a transfer's end promises. */
        void mustBeIdle(String why) {
            for (Claim c : claims) {
                if (c.block == this) {
                    throw new AssertionError(why + ", but there is still " + c);
                }
            }
        }

        @Override
        public void close() {
            if (!freed) {
                mustBeIdle(name + " is freed");
                freed = true;
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }

    Block allocate(String name, long size, MemoryKind kind) {
        Block b = new Block(name, next, (int) size, kind);
        blocks.put(next, b);
        next += size + GAP;
        return b;
    }

    /** The block that a range lies in. */
    Block block(long address, long bytes, String who) {
        Map.Entry<Long, Block> e = blocks.floorEntry(address);
        if (e == null || address + bytes > e.getValue().address + e.getValue().bytes.length) {
            throw new AssertionError(who + " uses " + bytes + " bytes at " + address + ", which is nobody's memory");
        }
        if (e.getValue().freed) {
            throw new AssertionError(who + " uses " + e.getValue().name + ", which is freed");
        }
        return e.getValue();
    }

    Claim claim(long address, long bytes, boolean writes, String who) {
        Claim made = new Claim(block(address, bytes, who), address, address + bytes, writes, who);
        for (Claim c : claims) {
            if ((c.writes || writes) && c.start < made.end && made.start < c.end) {
                throw new AssertionError(made + " while there is " + c);
            }
        }
        claims.add(made);
        return made;
    }

    void release(Claim claim) {
        if (!claims.remove(claim)) {
            throw new AssertionError("released twice: " + claim);
        }
    }

    List<Claim> claims() {
        return claims;
    }

    void copy(long from, long to, long bytes, String who) {
        Block source = block(from, bytes, who);
        Block target = block(to, bytes, who);
        System.arraycopy(
                source.bytes, (int) (from - source.address), target.bytes, (int) (to - target.address), (int) bytes);
    }

    byte read(long address, String who) {
        Block b = block(address, 1, who);
        return b.bytes[(int) (address - b.address)];
    }

    void write(long address, byte value, String who) {
        Block b = block(address, 1, who);
        b.bytes[(int) (address - b.address)] = value;
    }
}
