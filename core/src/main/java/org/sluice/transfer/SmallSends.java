package org.sluice.transfer;

/** Transfers whose bytes go with their announcement: one hop, no grant. They are counted until the receiver has confirmed them. */
final class SmallSends {
    private final EngineSettings settings;
    private final LinkControl control;
    private final Sending.Sender sender;
    private final SmallBytes bytes;
    private long underWay;

    SmallSends(LinkParts parts, Sending.Sender sender) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.bytes = parts.small();
        this.sender = sender;
    }

    /**
     * Where the data path is sealed or checked, and this way is not, bytes take that.
     *
     * @param alone whether no other transfer is under way: then the hops of an announcement and a grant take longer than some more bytes
     *     on the one connection do, while beside others they would only be in the way there
     */
    boolean mayGo(OutboundTransfer t, boolean alone) {
        return t.length > 0
                && (t.length <= settings.smallBytes() || (alone && isShort(t)))
                && underWay + t.length <= EngineSettings.SMALL_BYTES_UNDER_WAY
                && (control.isSealed() || !sender.isProtected());
    }

    /** Each piece that the CPU does not reach is a copy that is waited for: of these there is one at the most. */
    private boolean isShort(OutboundTransfer t) {
        return t.length
                        <= Math.min(
                                (long) settings.smallBytes() * EngineSettings.ALONE, EngineSettings.MOST_SMALL_BYTES)
                && (t.map instanceof RangeMap || t.map.block(0).memory().host().isPresent());
    }

    /** Whether a few bytes that the CPU reaches go along sooner than they are pulled. */
    boolean isSooner(OutboundTransfer t) {
        return t.length > 0
                && t.length <= settings.smallBytes()
                && t.map.block(0).memory().host().isPresent()
                && mayGo(t, false);
    }

    /** Sends the bytes, before the announcement. */
    void send(OutboundTransfer t) {
        t.small = true;
        t.given = t.length;
        underWay += t.length;
        control.bytes((int) t.length, to -> bytes.get(t.map, to));
    }

    void over(OutboundTransfer t) {
        underWay -= t.length;
    }
}
