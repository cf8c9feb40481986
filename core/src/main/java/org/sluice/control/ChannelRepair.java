package org.sluice.control;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.data.Agent;
import org.sluice.data.InboundEnd;
import org.sluice.data.LinkEngine;
import org.sluice.data.OutboundEnd;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Transport;

/**
 * Brings a link's lost channels back in the background, for as long as the link lives, and gives the link up when a direction
 * has been without any channel for too long. Belongs to the agent thread.
 */
final class ChannelRepair {
    /** Between two looks at attempts under way: a look is a few system calls, and a connection takes longer. */
    private static final long LOOK_NANOS = 1_000_000;

    /** What is said of each NIC when the link is given up: all of it has to fit an ERROR frame. */
    private static final int COMPLAINT_LENGTH = 200;

    private final Agent agent;
    private final LinkEngine engine;
    private final String where;
    private final Duration outage;
    private final List<ReceivingRepair> receiving = new ArrayList<>();
    private final List<SendingRepair> sending = new ArrayList<>();
    private int losses;
    private long lookedAt;
    private boolean trying;
    private long lostAllSending;
    private long lostAllReceiving;

    /**
     * @param devices the device of each channel
     * @param outage how long a direction may be without any channel
     */
    ChannelRepair(
            Agent agent,
            LinkEngine engine,
            ControlConnection control,
            Transport transport,
            int[] devices,
            ChannelManager.Channels channels,
            Duration outage,
            String where) {
        this.agent = agent;
        this.engine = engine;
        this.where = where;
        this.outage = outage;
        for (InboundEnd end : channels.inbound()) {
            ChannelContext context = new ChannelContext(agent.gpu(), end.index(), agent);
            receiving.add(new ReceivingRepair(engine, control, transport, context, devices[end.index()], where, end));
        }
        for (OutboundEnd end : channels.outbound()) {
            ChannelContext context = new ChannelContext(agent.gpu(), end.index(), agent);
            sending.add(new SendingRepair(engine, control, transport, context, devices[end.index()], where, end));
        }
    }

    /** One turn. @return how much was done. @throws LinkException when a direction has had no channel for too long */
    int doWork(long now) {
        if (engine.losses() != losses) {
            losses = engine.losses();
            receiving.forEach(r -> r.checkLost(now));
        }
        lostAllSending = outageSince(lostAllSending, true, sending.size(), now);
        lostAllReceiving = outageSince(lostAllReceiving, false, receiving.size(), now);
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
        lookOften(more);
        return work;
    }

    private void lookOften(boolean more) {
        if (more != trying) {
            trying = more;
            if (more) {
                agent.beginSetup();
            } else {
                agent.endSetup();
            }
        }
    }

    /** @return since when a direction has had no channel, 0 while it has one */
    private long outageSince(long since, boolean sends, int channels, long now) {
        if (channels == 0 || losses == 0 || engine.openChannels(sends) > 0) {
            return 0;
        }
        if (since == 0) {
            return now;
        }
        if (now - since > outage.toNanos()) {
            List<String> each = sends
                    ? sending.stream().map(SendingRepair::complaint).toList()
                    : receiving.stream().map(ReceivingRepair::complaint).toList();
            String rails = each.stream()
                    .map(c -> c.length() > COMPLAINT_LENGTH ? c.substring(0, COMPLAINT_LENGTH) + "..." : c)
                    .distinct()
                    .collect(Collectors.joining("; "));
            throw new LinkException(where + ": no rail to " + (sends ? "send" : "receive") + " on for "
                    + outage.toMillis() + " ms: " + rails + "; check cables, switches and the NICs of both sides");
        }
        return since;
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
            throw new ProtocolException(where + ": the peer " + what + " channel " + channel + " of " + repairs.size());
        }
        return repairs.get(channel);
    }

    /** Gives up what is being made. */
    void close() {
        receiving.forEach(ReceivingRepair::close);
        sending.forEach(SendingRepair::close);
        lookOften(false);
    }
}
