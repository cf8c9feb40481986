package org.sluice.transfer;

/** Decides which chunk a channel takes next. */
sealed interface Striping<T extends ChunkedTransfer> permits GrantedStriping, PulledStriping, RoundRobinStriping {
    /** Chooses the next chunk for a channel into {@code pick}. @return false when there is none for it now */
    boolean next(int channel, ChunkPick<T> pick);

    /** Whether there is likely to be one: {@link #next} has the last word. */
    boolean hasNext(int channel);
}
