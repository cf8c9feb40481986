package org.sluice.transfer;

import org.sluice.Where;

/**
 * What both ends of a link agreed on.
 *
 * @param chunkBytes bytes of a full chunk
 * @param roundRobin whether striping is round-robin; adaptive otherwise
 * @param receiveWindow most chunks a receiving channel has in flight, a power of two for adaptive striping
 * @param sendWindow most chunks a sending channel has in flight
 * @param stallNanos how long what was sent on a channel may be unanswered, while the peer is alive, before it counts as lost; 0 for ever
 * @param confirmed whether there is a control connection: transfers are announced, granted and confirmed
 * @param smallBytes most bytes of a transfer that go with its announcement, sixteen times as many while few such are under way; 0 for none
 * @param where the link, as messages name it
 */
public record EngineSettings(
        long chunkBytes,
        boolean roundRobin,
        int receiveWindow,
        int sendWindow,
        long stallNanos,
        boolean confirmed,
        int smallBytes,
        Where where) {
    /** The most transfers of one direction that may be unfinished; a peer that announces more breaks the protocol. */
    public static final int MAX_TRANSFERS = 1 << 16;

    /** The most bytes that may come with an announcement, from either side. */
    public static final int MOST_SMALL_BYTES = 64 << 10;

    /** How many times {@link #smallBytes} a short transfer has at the most, which goes with its announcement while few are under way. */
    static final int SHORT = 16;

    /** Bytes of small transfers that may be unconfirmed, all together: beyond, transfers are announced without. */
    static final int SMALL_BYTES_UNDER_WAY = 1 << 20;
}
