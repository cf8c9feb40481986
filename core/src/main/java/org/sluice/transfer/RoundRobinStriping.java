package org.sluice.transfer;

/**
 * The seed's rule, where there is no control connection: chunk <i>i</i> of each transfer goes on channel <i>i mod N</i>, transfers in
 * order. Both sides derive it, so nothing is granted, and the slowest rail sets the pace.
 */
final class RoundRobinStriping<T extends ChunkedTransfer> implements Striping<T> {
    private final long chunkBytes;
    private final long[] transferAt;
    private final long[] chunkAt;
    private Object[] queue = new Object[64];
    private long head;
    private long tail;

    RoundRobinStriping(int channels, long chunkBytes) {
        this.chunkBytes = chunkBytes;
        transferAt = new long[channels];
        chunkAt = new long[channels];
        for (int c = 0; c < channels; c++) {
            chunkAt[c] = c;
        }
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
        return transferAt[channel] < tail;
    }

    @Override
    @SuppressWarnings("unchecked")
    public boolean next(int channel, ChunkPick<T> pick) {
        while (transferAt[channel] < tail) {
            T transfer = (T) queue[(int) (transferAt[channel] & (queue.length - 1))];
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
