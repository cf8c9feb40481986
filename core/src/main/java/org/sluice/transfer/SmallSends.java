package org.sluice.transfer;

import java.util.concurrent.TimeUnit;

/** Transfers whose bytes go with their announcement: one hop, no grant. They are counted until the receiver has confirmed them. */
final class SmallSends {
    /** Short transfers under way up to which they go so: on two cores four at a time are twice as fast then, sixteen are slower by a fifth. */
    private static final int FEW = 4;

    /** For how long more than {@link #FEW} are remembered: those who keep as many under way post the next within it. */
    private static final long CROWD_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final EngineSettings settings;
    private final LinkControl control;
    private final Sending.Sender sender;
    private final SmallBytes bytes;
    private long underWay;
    private int shorts;
    private boolean crowded;
    private long crowdedAt;

    SmallSends(LinkParts parts, Sending.Sender sender) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.bytes = parts.small();
        this.sender = sender;
    }

    /**
     * Where the data path is sealed or checked, and this way is not, bytes take that.
     *
     * <p>What is not small but short goes too while few such are under way: the hops of an announcement and a grant take longer than some
     * more bytes on the one connection do, above all beside long transfers. Many would be in each other's way there.
     */
    boolean mayGo(OutboundTransfer t, long now) {
        return (isSmall(t) || (isShort(t) && isCalm(now) && isOneCopy(t))) && isAllowed(t);
    }

    private boolean isSmall(OutboundTransfer t) {
        return t.length > 0 && t.length <= settings.smallBytes();
    }

    private boolean isAllowed(OutboundTransfer t) {
        return underWay + t.length <= EngineSettings.SMALL_BYTES_UNDER_WAY
                && (control.isSealed() || !sender.isProtected());
    }

    /** Who keeps many under way has few for a moment when many end at once. */
    private boolean isCalm(long now) {
        crowded = crowded && now - crowdedAt < CROWD_NANOS;
        return shorts < FEW && !crowded;
    }

    private boolean isShort(OutboundTransfer t) {
        long most = Math.min((long) settings.smallBytes() * EngineSettings.SHORT, EngineSettings.MOST_SMALL_BYTES);
        return t.length > settings.smallBytes() && t.length <= most;
    }

    /** Each piece that the CPU does not reach is a copy that is waited for: of these there is one at the most. */
    private static boolean isOneCopy(OutboundTransfer t) {
        return t.map instanceof RangeMap || t.map.block(0).memory().host().isPresent();
    }

    /** Whether a few bytes that the CPU reaches go along sooner than they are pulled. */
    boolean isSooner(OutboundTransfer t) {
        return isSmall(t) && t.map.block(0).memory().host().isPresent() && isAllowed(t);
    }

    /** Sends the bytes, before the announcement. */
    void send(OutboundTransfer t) {
        t.small = true;
        t.given = t.length;
        underWay += t.length;
        control.bytes((int) t.length, to -> bytes.get(t.map, to));
    }

    /** It is under way, whichever way its bytes go. */
    void begun(OutboundTransfer t) {
        shorts += isShort(t) ? 1 : 0;
        if (shorts > FEW) {
            crowded = true;
            crowdedAt = t.startedAt;
        }
    }

    void over(OutboundTransfer t) {
        shorts -= isShort(t) ? 1 : 0;
        underWay -= t.small ? t.length : 0;
    }
}
