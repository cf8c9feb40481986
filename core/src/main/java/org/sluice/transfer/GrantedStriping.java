package org.sluice.transfer;

/**
 * On the sending side: a channel sends what the receiver granted on it, in that order. A ring per channel; a receiver that grants more
 * than the window it announced breaks the protocol.
 */
final class GrantedStriping implements Striping<OutboundTransfer> {
    private final GrantRing[] rings;

    /** @param window the most chunks the receiver may have granted and not seen, a power of two */
    GrantedStriping(int channels, int window) {
        rings = new GrantRing[channels];
        for (int c = 0; c < channels; c++) {
            rings[c] = new GrantRing(window);
        }
    }

    /** @return false when the ring is full: the peer granted more than its window */
    boolean grant(int channel, OutboundTransfer transfer, long offset, long bytes) {
        return rings[channel].add(transfer, offset, bytes);
    }

    /** Forgets the grants of a channel that broke: the receiver grants the chunks again, elsewhere. */
    void clear(int channel) {
        rings[channel].clear();
    }

    @Override
    public boolean hasNext(int channel) {
        return !rings[channel].isEmpty();
    }

    @Override
    public boolean next(int channel, ChunkPick<OutboundTransfer> pick) {
        return rings[channel].take(pick);
    }
}
