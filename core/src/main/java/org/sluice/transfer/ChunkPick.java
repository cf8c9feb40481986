package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/** The chunk that a striping chose: one reused holder, so that choosing allocates nothing. */
final class ChunkPick<T extends ChunkedTransfer> {
    private @Nullable T transfer;
    private long offset;
    private long bytes;

    void set(T transfer, long offset, long bytes) {
        this.transfer = transfer;
        this.offset = offset;
        this.bytes = bytes;
    }

    T transfer() {
        if (transfer == null) {
            throw new IllegalStateException("nothing was picked");
        }
        return transfer;
    }

    long offset() {
        return offset;
    }

    long bytes() {
        return bytes;
    }
}
