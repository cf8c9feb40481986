package org.sluice.peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.Where;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Transport;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.OutboundEnd;
import org.sluice.wire.ControlConnection;

/**
 * Brings a link's lost channels back in the background, for as long as the link lives, and gives the link up when a direction
 * has been without any channel for too long. Belongs to the agent thread.
 */
final class ChannelRepair {
    /** Between two looks at attempts under way: a look is a few system calls, and a connection takes longer. */
    private static final long LOOK_NANOS = 1_000_000;

    /** What a report needs to reach both sides before the deadline: a turn of each agent, 50 ms at the most, and the way between. */
    private static final long REPORT_NANOS = 150_000_000;

    /** What is said of each NIC when the link is given up: all of it has to fit an ERROR frame. */
    private static final int COMPLAINT_LENGTH = 200;

    private final LinkEngine engine;
    private final Where where;
    private final long patience;
    private final List<ReceivingRepair> receiving = new ArrayList<>();
    private final List<SendingRepair> sending = new ArrayList<>();
    private int losses;
    private long lookedAt;
    private boolean trying;
    private long tryingSince;
    private final Outage noSending;
    private final Outage noReceiving;

    /**
     * @param devices the device of each channel
     * @param railWorks whether a channel's rail is worth an attempt now: one that was never proven is not, until it is
     * @param patience how long a direction may be without any rail: what is said of it is said before
     */
    ChannelRepair(
            LinkEngine engine,
            ControlConnection control,
            Transport transport,
            ChannelManager manager,
            int[] devices,
            IntPredicate railWorks,
            ChannelManager.Channels channels,
            Duration patience,
            Where where) {
        this.engine = engine;
        this.where = where;
        this.patience = patience.toNanos() - Math.min(REPORT_NANOS, patience.toNanos() / 10);
        for (InboundEnd end : channels.inbound()) {
            ChannelContext context = manager.receiving(end.index());
            int channel = end.index();
            receiving.add(new ReceivingRepair(
                    engine, control, transport, context, devices[channel], () -> railWorks.test(channel), where, end));
        }
        for (OutboundEnd end : channels.outbound()) {
            ChannelContext context = manager.sending(end.index());
            int channel = end.index();
            sending.add(new SendingRepair(
                    engine, control, transport, context, devices[channel], () -> railWorks.test(channel), where, end));
        }
        this.noSending = new Outage(
                channels.outbound().stream().map(OutboundEnd::counters).toList());
        this.noReceiving =
                new Outage(channels.inbound().stream().map(InboundEnd::counters).toList());
    }

    /** One turn. @return how much was done. @throws LinkException when a direction has had no channel for too long */
    int doWork(long now) {
        if (engine.losses() != losses) {
            losses = engine.losses();
            receiving.forEach(r -> r.checkLost(now));
            checkHopeless();
        }
        if (losses > 0) {
            if (!sending.isEmpty()) {
                checkOutage(noSending, true, now);
            }
            if (!receiving.isEmpty()) {
                checkOutage(noReceiving, false, now);
            }
        }
        if (losses == 0 || now - lookedAt < LOOK_NANOS) {
            return 0;
        }
        lookedAt = now;
        int work = 0;
        boolean more = false;
        for (ReceivingRepair r : receiving) {
            work += r.doWork(now);
            more |= r.isTrying();
        }
        for (SendingRepair s : sending) {
            work += s.doWork(now);
            more |= s.isTrying();
        }
        if (more && !trying) {
            tryingSince = now;
        }
        trying = more;
        return work;
    }

    /** Whether a channel was ever lost: from then on all are looked after. */
    boolean hasLosses() {
        return losses > 0;
    }

    /** Whether a channel is being made, whose transport may have no doorbell to ring. */
    boolean isTrying() {
        return trying;
    }

    /** Since when, while it is. */
    long tryingSince() {
        return tryingSince;
    }

    /** The same error on every channel, as often as it is made anew, is the plugin's, the memory's or the settings', not a cable's. */
    private void checkHopeless() {
        if (!receiving.isEmpty() && receiving.stream().allMatch(ReceivingRepair::isHopeless)) {
            throw new LinkException(
                    ErrorCode.LINK,
                    where,
                    "every channel breaks in the same way each time it is made, which is no fault of a cable: "
                            + complaints(receiving.stream()
                                    .map(ReceivingRepair::complaint)
                                    .toList()));
        }
    }

    private static String complaints(List<String> each) {
        return each.stream()
                .map(c -> c.length() > COMPLAINT_LENGTH ? c.substring(0, COMPLAINT_LENGTH) + "..." : c)
                .distinct()
                .collect(Collectors.joining("; "));
    }

    private void checkOutage(Outage outage, boolean sends, long now) {
        long lasts = engine.openChannels(sends) > 0
                ? outage.withChannel(now)
                : outage.withoutChannel(engine.lastSign(sends), now);
        if (lasts < patience) {
            return;
        }
        List<String> each = sends
                ? sending.stream().map(SendingRepair::complaint).toList()
                : receiving.stream().map(ReceivingRepair::complaint).toList();
        String rails = complaints(each);
        throw new LinkException(
                ErrorCode.NO_RAIL,
                where,
                "no rail to " + (sends ? "send" : "receive") + " on for " + lasts / 1_000_000 + " ms: " + rails
                        + "; check cables, switches and the NICs of both sides");
    }

    void onHandle(int channel, int generation, byte[] handle, long now) {
        of(sending, channel, "listens").onHandle(generation, handle, now);
    }

    void onUp(int channel, int generation) {
        of(receiving, channel, "connected").onUp(generation);
    }

    void onDown(boolean weSend, int channel, int generation, String why, long now) {
        if (weSend) {
            of(sending, channel, "gave up").onDown(generation);
        } else {
            of(receiving, channel, "gave up").onDown(generation, why, now);
        }
    }

    private <T> T of(List<T> repairs, int channel, String what) {
        if (channel >= repairs.size()) {
            throw new ProtocolException(where, "the peer " + what + " channel " + channel + " of " + repairs.size());
        }
        return repairs.get(channel);
    }

    /** Gives up what is being made. */
    void close() {
        receiving.forEach(ReceivingRepair::close);
        sending.forEach(SendingRepair::close);
        trying = false;
    }
}
