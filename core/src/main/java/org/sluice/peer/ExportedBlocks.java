package org.sluice.peer;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PulledMemory;

/** This side's blocks as the peer of one link knows them. Belongs to the agent. */
final class ExportedBlocks {
    private final Map<Integer, Export> byBlock = new HashMap<>();
    private final Map<Integer, Export> byNumber = new HashMap<>();
    private int numbers;

    /** A block on its way to the peer, open there, or not to be had there. */
    static final class Export {
        final MemoryBlock block;
        final int number;
        /** What {@link PulledMemory#number} says. */
        int state = PulledMemory.NOT_YET;
        /** It is to come back as soon as it is there. */
        boolean isUnwanted;
        /** Completes when the peer has let go of it. */
        final CompletableFuture<Void> gone = new CompletableFuture<>();

        Export(MemoryBlock block, int number) {
            this.block = block;
            this.number = number;
        }
    }

    @Nullable Export of(MemoryBlock block) {
        return byBlock.get(block.number());
    }

    Export add(MemoryBlock block) {
        Export e = new Export(block, ++numbers);
        byBlock.put(block.number(), e);
        byNumber.put(e.number, e);
        return e;
    }

    @Nullable Export numbered(int number) {
        return byNumber.get(number);
    }

    /** The block's number may be another's from now on. */
    @Nullable Export forget(MemoryBlock block) {
        return byBlock.remove(block.number());
    }

    void gone(Export e) {
        byNumber.remove(e.number);
        e.gone.complete(null);
    }

    void allGone() {
        byNumber.values().forEach(e -> e.gone.complete(null));
        byNumber.clear();
        byBlock.clear();
    }
}
