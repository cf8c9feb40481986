package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/** The steps of one queue that are under way, in order: whose they are, and how many bytes. */
final class PullSteps {
    private final @Nullable InboundTransfer[] transfers;
    private final long[] bytes;
    private long taken;
    private long done;

    /** @param most a power of two */
    PullSteps(int most) {
        this.transfers = new InboundTransfer[most];
        this.bytes = new long[most];
    }

    boolean hasRoom() {
        return taken - done < transfers.length;
    }

    boolean isEmpty() {
        return taken == done;
    }

    /** The next step; its ticket is its number from 1. */
    void add(InboundTransfer t, long length) {
        int slot = (int) taken++ & (transfers.length - 1);
        transfers[slot] = t;
        bytes[slot] = length;
    }

    interface Done {
        void step(InboundTransfer transfer, long bytes);
    }

    /** Hands over every step up to a ticket. @return how many */
    int upTo(long ticket, Done to) {
        int count = 0;
        for (; done < ticket; count++) {
            int slot = (int) done++ & (transfers.length - 1);
            InboundTransfer t = transfers[slot];
            transfers[slot] = null;
            if (t != null) {
                to.step(t, bytes[slot]);
            }
        }
        return count;
    }
}
