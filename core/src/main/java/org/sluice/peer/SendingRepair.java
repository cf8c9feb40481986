package org.sluice.peer;

import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Where;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.OutboundEnd;
import org.sluice.wire.ControlConnection;

/**
 * Brings one sending channel back: connects where the peer says that it listens, and tells it when that is done or has failed.
 * The peer sets the pace and counts the attempts. Belongs to the agent.
 */
final class SendingRepair {
    private static final Logger log = LoggerFactory.getLogger(SendingRepair.class);

    private final LinkEngine engine;
    private final ControlConnection control;
    private final Transport transport;
    private final ChannelContext context;
    private final int device;
    private final BooleanSupplier railWorks;
    private final Where where;
    private OutboundEnd end;
    private int generation;
    private long giveUpAt;
    private @Nullable Connector connector;
    private String lastFailure = "";

    SendingRepair(
            LinkEngine engine,
            ControlConnection control,
            Transport transport,
            ChannelContext context,
            int device,
            BooleanSupplier railWorks,
            Where where,
            OutboundEnd end) {
        this.engine = engine;
        this.control = control;
        this.transport = transport;
        this.context = context;
        this.device = device;
        this.railWorks = railWorks;
        this.where = where;
        this.end = end;
    }

    boolean isTrying() {
        return connector != null;
    }

    /** The NIC and what happened to the channel there. */
    String complaint() {
        return transport.devices().get(device).name() + " ("
                + (lastFailure.isEmpty() ? engine.lossReason(true, end.index()) : lastFailure) + ")";
    }

    /** The peer listens for this channel's next life, which says that it has closed the last. */
    void onHandle(int attempt, byte[] handle, long now) {
        close();
        engine.onChannelDown(true, end.index(), end.generation(), "the peer makes it anew");
        generation = attempt;
        giveUpAt = now + transport.attemptTime().toNanos();
        if (!railWorks.getAsBoolean()) {
            fail("its rail has not been proven yet");
            return;
        }
        try {
            connector = transport.connect(device, handle, context);
        } catch (TransportException e) {
            fail(String.valueOf(e.getMessage()));
        }
    }

    /** One look. @return how much was done */
    int doWork(long now) {
        Connector c = connector;
        if (c == null) {
            return 0;
        }
        try {
            SendChannel channel = c.connect();
            if (channel == null) {
                if (now - giveUpAt < 0) {
                    return 0;
                }
                fail("no answer");
                return 1;
            }
            c.close();
            connector = null;
            OutboundEnd next =
                    new OutboundEnd(end.index(), generation, channel, end.counters(), end.staging(), end.takesLists());
            engine.open(next);
            end = next;
            lastFailure = "";
            end.counters().reconnected();
            control.channelUp(end.index(), generation);
            log.info("{}: channel {} sends again on {}", where, end.index(), channel.description());
        } catch (TransportException e) {
            fail(String.valueOf(e.getMessage()));
        }
        return 1;
    }

    /** The peer has given the attempt up. */
    void onDown(int attempt) {
        if (attempt == generation) {
            close();
        }
    }

    private void fail(String why) {
        close();
        lastFailure = why;
        control.channelDown(false, end.index(), generation, why);
    }

    /** Gives up what is being made. Idempotent. */
    void close() {
        if (connector != null) {
            connector.close();
            connector = null;
        }
    }
}
