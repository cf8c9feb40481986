package org.sluice.peer;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.GpuMemory;
import org.sluice.transfer.MemoryBlock;

/** The peer's blocks that are open here, for one link. Belongs to the agent. */
final class ImportedBlocks {
    /** More blocks of one peer's on one link are not opened. */
    static final int MOST = 1 << 16;

    private final Map<Integer, Import> byNumber = new HashMap<>();
    private final IntConsumer unused;

    private static final class Import {
        final MemoryBlock block;
        int uses;
        boolean takenBack;

        Import(MemoryBlock block) {
            this.block = block;
        }
    }

    /** @param unused told the number of a block that the peer took back and nobody uses: it is to be closed */
    ImportedBlocks(IntConsumer unused) {
        this.unused = unused;
    }

    int size() {
        return byNumber.size();
    }

    void add(int number, GpuMemory memory) {
        byNumber.put(number, new Import(new MemoryBlock(memory, number)));
    }

    @Nullable MemoryBlock open(int number) {
        Import i = byNumber.get(number);
        return i == null || i.takenBack ? null : i.block;
    }

    void use(int number) {
        Import i = byNumber.get(number);
        if (i != null) {
            i.uses++;
        }
    }

    void release(int number) {
        Import i = byNumber.get(number);
        if (i != null && --i.uses == 0 && i.takenBack) {
            unused.accept(number);
        }
    }

    /** The peer wants it back. @return false where it never gave it */
    boolean takeBack(int number) {
        Import i = byNumber.get(number);
        if (i == null || i.takenBack) {
            return false;
        }
        i.takenBack = true;
        if (i.uses == 0) {
            unused.accept(number);
        }
        return true;
    }

    /** Forgets one that is to be closed. */
    @Nullable GpuMemory remove(int number) {
        Import i = byNumber.remove(number);
        return i == null ? null : i.block.memory();
    }
}
