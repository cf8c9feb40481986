package org.sluice.peer;

import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Where;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkEngine;
import org.sluice.wire.ControlConnection;

/**
 * Brings one receiving channel back: waits a pause, listens again, tells the peer where, and opens the channel's next life when
 * it is accepted <em>and</em> the peer has said that it is connected, since a grant before that would be lost. Each attempt has
 * a generation of its own, so that whatever is said of an older one cannot be mistaken for it. Belongs to the agent.
 */
final class ReceivingRepair {
    private static final Logger log = LoggerFactory.getLogger(ReceivingRepair.class);

    /** Before the first attempt: a connection that somebody reset is back before anybody waits for it. */
    private static final long FIRST_PAUSE_NANOS = 10_000_000;

    /** A life that ends sooner, before it has carried anything, was never of use. */
    private static final long SHORT_LIFE_NANOS = 2_000_000_000;

    /** So many useless lives that end in the same words are no fault of a cable. */
    private static final int SAME_ENDS = 3;

    private static final Pattern NUMBERS = Pattern.compile("[0-9]+");

    private final LinkEngine engine;
    private final ControlConnection control;
    private final Transport transport;
    private final ChannelContext context;
    private final int device;
    private final BooleanSupplier railWorks;
    private final Where where;
    private InboundEnd end;
    private int generation;
    private long chunksBefore;
    private boolean lost;
    private long pause = FIRST_PAUSE_NANOS;
    private long nextAt;
    private long giveUpAt;
    private @Nullable Listener listener;
    private @Nullable ReceiveChannel accepted;
    private boolean peerReady;
    private String lastFailure = "";
    private long openedAt = System.nanoTime();
    private String lastEnd = "";
    private int sameEnds;

    ReceivingRepair(
            LinkEngine engine,
            ControlConnection control,
            Transport transport,
            ChannelContext context,
            int device,
            BooleanSupplier railWorks,
            Where where,
            InboundEnd end) {
        this.engine = engine;
        this.control = control;
        this.transport = transport;
        this.context = context;
        this.device = device;
        this.railWorks = railWorks;
        this.where = where;
        this.end = end;
        this.generation = end.generation();
    }

    /** The engine has lost something: perhaps this channel. */
    void checkLost(long now) {
        if (lost || engine.isOpen(false, end.index())) {
            return;
        }
        lost = true;
        lastFailure = "";
        if (end.counters().chunks() > chunksBefore) {
            pause = FIRST_PAUSE_NANOS; // its last life was of use; one that only connects and then stalls is not
            sameEnds = 0;
        } else if (now - openedAt < SHORT_LIFE_NANOS) {
            String end =
                    NUMBERS.matcher(engine.lossReason(false, this.end.index())).replaceAll("#");
            sameEnds = end.equals(lastEnd) ? sameEnds + 1 : 1;
            lastEnd = end;
        } else {
            sameEnds = 0;
        }
        nextAt = now + pause;
    }

    /** Whether the channel can be connected, and breaks in the same way each time before it has carried anything. */
    boolean isHopeless() {
        return lost && sameEnds >= SAME_ENDS;
    }

    boolean isLost() {
        return lost;
    }

    /** Whether an attempt is under way, which has to be looked after often. */
    boolean isTrying() {
        return listener != null || accepted != null;
    }

    /** The NIC and what happened to the channel there. */
    String complaint() {
        return nic() + " (" + (lastFailure.isEmpty() ? engine.lossReason(false, end.index()) : lastFailure) + ")";
    }

    private String nic() {
        return transport.devices().get(device).name();
    }

    /** One look. @return how much was done */
    int doWork(long now) {
        if (!lost) {
            return 0;
        }
        try {
            if (isTrying()) {
                return advance(now);
            }
            if (now - nextAt < 0 || !railWorks.getAsBoolean() || !engine.isDrained(false, end.index())) {
                return 0;
            }
            begin(now);
        } catch (TransportException e) {
            fail(String.valueOf(e.getMessage()), now, true);
        }
        return 1;
    }

    private void begin(long now) throws TransportException {
        generation = (generation + 1) & 0xffff;
        peerReady = false;
        // the peer's attempt is as long, and begins a little later
        giveUpAt = now + 2 * transport.attemptTime().toNanos();
        Listener l = transport.listen(device, context);
        listener = l;
        control.channelHandle(end.index(), generation, l.handle());
    }

    private int advance(long now) throws TransportException {
        Listener l = listener;
        if (l != null) {
            accepted = l.accept();
            if (accepted != null) {
                l.close();
                listener = null;
            }
        }
        ReceiveChannel channel = accepted;
        if (channel != null && peerReady) {
            InboundEnd next = new InboundEnd(
                    end.index(), generation, channel, end.counters(), end.staging(), end.unpack(), end.takesLists());
            engine.open(next);
            end = next;
            accepted = null;
            lost = false;
            openedAt = now;
            chunksBefore = end.counters().chunks();
            end.counters().reconnected();
            log.info("{}: channel {} receives again on {}", where, end.index(), channel.description());
            return 1;
        }
        if (now - giveUpAt > 0) {
            fail(channel == null ? "nobody connected" : "the peer did not confirm the connection", now, true);
            return 1;
        }
        return 0;
    }

    /** The peer has connected. */
    void onUp(int attempt) {
        if (lost && attempt == generation) {
            peerReady = true;
        }
    }

    /** The peer's side of the attempt came to nothing. */
    void onDown(int attempt, String why, long now) {
        if (isTrying() && attempt == generation) {
            fail(why, now, false);
        }
    }

    private void fail(String why, long now, boolean tellPeer) {
        close();
        lastFailure = why;
        log.debug("{}: channel {} on {} is not back yet: {}", where, end.index(), nic(), why);
        if (tellPeer) {
            control.channelDown(true, end.index(), generation, why);
        }
        pause = Math.min(pause * 2, transport.longestPause().toNanos());
        nextAt = now + pause;
    }

    /** Gives up what is being made. Idempotent. */
    void close() {
        if (listener != null) {
            listener.close();
            listener = null;
        }
        if (accepted != null) {
            accepted.close();
            accepted = null;
        }
    }
}
