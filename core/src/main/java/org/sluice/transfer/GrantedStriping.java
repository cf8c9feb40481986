package org.sluice.transfer;

/**
 * On the sending side: a channel sends what the receiver granted on it, in that order. A fixed ring per channel; a receiver that
 * grants more than the window it announced breaks the protocol.
 */
final class GrantedStriping implements Striping<OutboundTransfer> {
    private final OutboundTransfer[][] transfers;
    private final long[][] offsets;
    private final long[][] lengths;
    private final long[] head;
    private final long[] tail;

    /** @param window the most chunks the receiver may have granted and not seen, a power of two */
    GrantedStriping(int channels, int window) {
        transfers = new OutboundTransfer[channels][window];
        offsets = new long[channels][window];
        lengths = new long[channels][window];
        head = new long[channels];
        tail = new long[channels];
    }

    /** @return false when the ring is full: the peer granted more than its window */
    boolean grant(int channel, OutboundTransfer transfer, long offset, long bytes) {
        OutboundTransfer[] ring = transfers[channel];
        if (tail[channel] - head[channel] == ring.length) {
            return false;
        }
        int slot = (int) (tail[channel]++ & (ring.length - 1));
        ring[slot] = transfer;
        transfer.granted++;
        offsets[channel][slot] = offset;
        lengths[channel][slot] = bytes;
        return true;
    }

    /** Forgets the grants of a channel that broke: the receiver grants the chunks again, elsewhere. */
    void clear(int channel) {
        OutboundTransfer[] ring = transfers[channel];
        for (long n = head[channel]; n < tail[channel]; n++) {
            ring[(int) (n & (ring.length - 1))].granted--;
        }
        head[channel] = tail[channel];
    }

    @Override
    public boolean next(int channel, ChunkPick<OutboundTransfer> pick) {
        if (head[channel] == tail[channel]) {
            return false;
        }
        int slot = (int) (head[channel]++ & (transfers[channel].length - 1));
        transfers[channel][slot].granted--;
        pick.set(transfers[channel][slot], offsets[channel][slot], lengths[channel][slot]);
        return true;
    }
}
