package org.sluice.transfer;

/**
 * The seed's rule, where there is no control connection: chunk <i>i</i> of each transfer goes on channel <i>i mod N</i>, transfers in
 * order. Both sides derive it, so nothing is granted, and the slowest rail sets the pace.
 *
 * <p>Where all channels share few pinned slots, chunks are dealt {@linkplain #dealInOrder in the order of the stream}, on both sides: slots
 * then lie under the oldest chunks. With some of the sender's under chunks that the receiver has no slot for yet, and some of the
 * receiver's under chunks that the sender has none for, both would wait for ever.
 */
final class RoundRobinStriping<T extends ChunkedTransfer> implements Striping<T> {
    private final long chunkBytes;
    private final long[] transferAt;
    private final long[] chunkAt;
    private Object[] queue = new Object[64];
    private long head;
    private long tail;
    private boolean inOrder;
    /** The next chunk, where they are dealt in order: of the transfer {@link #head}. */
    private long turn;

    RoundRobinStriping(int channels, long chunkBytes) {
        this.chunkBytes = chunkBytes;
        transferAt = new long[channels];
        chunkAt = new long[channels];
        for (int c = 0; c < channels; c++) {
            chunkAt[c] = c;
        }
    }

    /** From the beginning on. */
    void dealInOrder() {
        inOrder = true;
    }

    void add(T transfer) {
        if (tail - head == queue.length) {
            Object[] larger = new Object[queue.length * 2];
            for (long i = head; i < tail; i++) {
                larger[(int) (i & (larger.length - 1))] = queue[(int) (i & (queue.length - 1))];
            }
            queue = larger;
        }
        queue[(int) (tail++ & (queue.length - 1))] = transfer;
    }

    @Override
    public boolean hasNext(int channel) {
        return inOrder ? isItsTurn(channel) : transferAt[channel] < tail;
    }

    @SuppressWarnings("unchecked")
    private T at(long number) {
        return (T) queue[(int) (number & (queue.length - 1))];
    }

    /** Whether the next chunk of the stream is this channel's. */
    private boolean isItsTurn(int channel) {
        while (head < tail && turn * chunkBytes >= at(head).length) {
            queue[(int) (head++ & (queue.length - 1))] = null;
            turn = 0;
        }
        return head < tail && turn % transferAt.length == channel;
    }

    @Override
    public boolean next(int channel, ChunkPick<T> pick) {
        if (inOrder) {
            if (!isItsTurn(channel)) {
                return false;
            }
            T transfer = at(head);
            long at = turn++ * chunkBytes;
            pick.set(transfer, at, Math.min(chunkBytes, transfer.length - at));
            return true;
        }
        while (transferAt[channel] < tail) {
            T transfer = at(transferAt[channel]);
            long chunk = chunkAt[channel];
            long at = chunk * chunkBytes;
            if (at < transfer.length) {
                chunkAt[channel] = chunk + transferAt.length;
                pick.set(transfer, at, Math.min(chunkBytes, transfer.length - at));
                return true;
            }
            boolean wasLast = transferAt[channel] == head;
            transferAt[channel]++;
            chunkAt[channel] = channel;
            if (wasLast) {
                dropFinished();
            }
        }
        return false;
    }

    private void dropFinished() {
        long slowest = tail;
        for (long at : transferAt) {
            slowest = Math.min(slowest, at);
        }
        while (head < slowest) {
            queue[(int) (head++ & (queue.length - 1))] = null;
        }
    }
}
