package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Doorbell;
import org.sluice.spi.GpuMemory;

/** What one link has of a GPU's {@link StagingPool}: nothing, until chunks of it are under way. Belongs to the GPU's agent. */
public final class StagingShare implements AutoCloseable {
    /** In the place of a slot. */
    static final int NONE = -1;

    private final StagingPool pool;
    final Doorbell link;
    final Object peerKey;
    final StagingPool.Peer peer;
    final CopyQueue queue;
    /** Most slots of one channel: few, so that what the copy engine wrote is still in the cache when the socket reads it. */
    final int perChannel;

    int held;
    boolean waiting;

    @Nullable StagingShare previous;

    @Nullable StagingShare next;

    private boolean closed;

    StagingShare(
            StagingPool pool, Doorbell link, Object peerKey, StagingPool.Peer peer, CopyQueue queue, int perChannel) {
        this.pool = pool;
        this.link = link;
        this.peerKey = peerKey;
        this.peer = peer;
        this.queue = queue;
        this.perChannel = perChannel;
    }

    /** The longest chunk that a slot holds. */
    public long slotBytes() {
        return pool.slotBytes();
    }

    boolean mayTake() {
        return pool.mayTake(this);
    }

    int take() {
        return pool.take(this);
    }

    void giveBack(int slot) {
        pool.giveBack(this, slot);
    }

    /** Whether the link has chunks for which it found no slot in its last turn: then it is in the row of those who wait. */
    void waits(boolean forSlots) {
        if (forSlots) {
            pool.startsWaiting(this);
        } else {
            pool.leavesRow(this);
        }
    }

    long address(int slot) {
        return pool.address(slot);
    }

    /** The memory that a slot is part of, and its number among such. */
    GpuMemory extent(int number) {
        return pool.extent(number);
    }

    /** Gives up its part; no channel of the link uses a slot any more. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            pool.left(this);
        }
    }
}
