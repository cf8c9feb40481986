package org.sluice.transfer;

import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/**
 * The data plane of one link: its sending and its receiving half. It has no thread, no socket and no clock of its own: an agent
 * turns it, the control connection feeds it, and a test can do both.
 *
 * <p>Every method belongs to the agent thread. A method that takes what the peer said throws {@link ProtocolException} when the
 * peer may not say it; the caller then {@linkplain #fail fails} the link.
 */
public final class LinkEngine {
    private static final Logger log = LoggerFactory.getLogger(LinkEngine.class);

    private final EngineSettings settings;
    private final LinkControl control;
    private final SaidLayouts layouts;
    private final PieceQueues pieces;
    private final NotificationListener notified;
    private final NotificationCredit credit;
    private final Pulse pulse;
    private final @Nullable PulledMemory memory;
    private final Outbound outbound;
    private final Inbound inbound;
    private final PeerRequests requests;
    private final PostingCheck may;
    private final int outboundChannels;
    private final int inboundChannels;
    private @Nullable SluiceException failure;
    private int losses;

    public LinkEngine(
            EngineSettings settings,
            LinkControl control,
            RegionDirectory regions,
            int outboundChannels,
            int inboundChannels,
            @Nullable UnpackQueue unpack,
            PieceQueues pieces,
            NotificationListener notified) {
        this(settings, control, regions, outboundChannels, inboundChannels, unpack, pieces, notified, null);
    }

    /** @param memory where the receiver of a transfer may pull it; null where it never can */
    public LinkEngine(
            EngineSettings settings,
            LinkControl control,
            RegionDirectory regions,
            int outboundChannels,
            int inboundChannels,
            @Nullable UnpackQueue unpack,
            PieceQueues pieces,
            NotificationListener notified,
            @Nullable PulledMemory memory) {
        this.memory = memory;
        this.settings = settings;
        this.control = control;
        this.pieces = pieces;
        this.notified = NotificationListener.of(notified, this::taken);
        this.credit = new NotificationCredit(settings.where());
        this.outboundChannels = outboundChannels;
        this.inboundChannels = inboundChannels;
        this.pulse = new Pulse(settings, control);
        this.layouts = new SaidLayouts(settings.where(), control);
        this.may = new PostingCheck(settings, layouts);
        SmallBytes small = new SmallBytes(pieces);
        LinkParts parts = new LinkParts(settings, control, layouts, credit, this.notified, small, pulse, memory);
        this.outbound = new Outbound(parts, outboundChannels, this::broken);
        this.inbound = new Inbound(parts, inboundChannels, unpack, this::broken);
        this.requests = new PeerRequests(
                parts, regions, outbound, outboundChannels, inbound, inboundChannels, () -> failure != null);
    }

    /**
     * Takes a channel into use. One that replaces a lost one has a higher generation, and its sender's end is opened first: a
     * receiver grants as soon as its end is open.
     */
    public void open(OutboundEnd end) {
        if (failure != null) {
            end.channel().close();
            return;
        }
        outbound.open(
                new OutboundChannel(
                        end.index(),
                        end.generation(),
                        end.channel(),
                        end.counters(),
                        settings.sendWindow(),
                        new AnswerClock(settings.stallNanos()),
                        end.staging(),
                        end.takesLists(),
                        new Packing(pieces, true, end.staging() == null, settings.chunkBytes())),
                end.staging());
    }

    /** As {@link #open(OutboundEnd)}, for a channel that this side receives on. */
    public void open(InboundEnd end) {
        if (failure != null) {
            end.channel().close();
            return;
        }
        Window window = settings.roundRobin()
                ? Window.fixed(settings.receiveWindow())
                : Window.adaptive(settings.receiveWindow());
        inbound.open(
                new InboundChannel(
                        end.index(),
                        end.generation(),
                        end.channel(),
                        end.counters(),
                        window,
                        new StallClock(settings.stallNanos()),
                        settings.receiveWindow(),
                        end.staging(),
                        end.unpack(),
                        end.takesLists(),
                        new Packing(pieces, false, end.staging() == null, settings.chunkBytes())),
                end.staging());
    }

    /** @return the transfer, to be {@linkplain #cancel cancelled}; null where it has failed already, as the completion was told */
    public @Nullable ChunkedTransfer send(PieceMap map, TransferOptions options, Completion done, long now) {
        return may.move(map, options, done)
                        && may.begin(
                                failure, outboundChannels, outbound.transfers().unfinished(), done)
                ? outbound.transfers().begin(map, null, options, done, now)
                : null;
    }

    public @Nullable ChunkedTransfer receive(PieceMap map, TransferOptions options, Completion done, long now) {
        return may.move(map, options, done)
                        && may.begin(
                                failure, inboundChannels, inbound.transfers().unfinished(), done)
                ? inbound.transfers().receive(map, options, done, now)
                : null;
    }

    public @Nullable ChunkedTransfer write(
            PieceMap map, PeerPlace to, TransferOptions options, Completion done, long now) {
        return may.reach(to, done)
                        && may.begin(
                                failure, outboundChannels, outbound.transfers().unfinished(), done)
                ? outbound.transfers().begin(map, to, options, done, now)
                : null;
    }

    public @Nullable ChunkedTransfer read(
            PieceMap map, PeerPlace from, TransferOptions options, Completion done, long now) {
        return may.reach(from, done)
                        && may.begin(
                                failure, inboundChannels, inbound.transfers().unfinished(), done)
                ? inbound.transfers().read(map, from, options, done, now)
                : null;
    }

    /** Ends a transfer early; one that has ended, or cannot be ended any more, goes on as if nothing was said. */
    public void cancel(ChunkedTransfer transfer, EndReason why) {
        if (failure == null) {
            switch (transfer) {
                case OutboundTransfer t -> outbound.transfers().end(t, why);
                case InboundTransfer t -> inbound.transfers().end(t, why);
            }
        }
    }

    /**
     * Ends what the peer does by a key of this side's.
     *
     * @param now whether it is not waited for any more what the peer has been granted: the channels that carry it are given up
     */
    public void withdraw(long keyHigh, long keyLow, boolean now) {
        if (failure == null) {
            outbound.withdraw(keyHigh, keyLow, now);
            inbound.withdraw(keyHigh, keyLow, now);
        }
    }

    /** The program has taken a notification, or nobody will. */
    public void taken(byte[] notification) {
        int cost = NotificationCredit.cost(notification);
        credit.release(cost);
        if (failure == null) {
            control.taken(cost);
        }
    }

    /** Tells the peer a layout that transfers will name from now on. */
    public void prepare(PreparedPlace place) {
        if (failure == null && settings.confirmed()) {
            layouts.prepare(place);
        }
    }

    /** No transfer begins with it any more. */
    public void close(PreparedPlace place) {
        if (failure == null && settings.confirmed()) {
            layouts.close(place);
        }
    }

    /** Told what the peer says of transfers. */
    public PeerRequests requests() {
        return requests;
    }

    /** The peer's end of a channel broke. @param weSend whether this side is its sender */
    public void onChannelDown(boolean weSend, int channel, int generation, String why) {
        if (failure != null) {
            return;
        }
        int count = weSend ? outboundChannels : inboundChannels;
        if (channel < 0 || channel >= count) {
            throw new ProtocolException(
                    settings.where(), "the peer lost channel " + channel + " of " + count + ", which does not exist");
        }
        ChannelEnd<?> lost = weSend ? outbound.channel(channel) : inbound.channel(channel);
        if (lost == null || lost.generation != generation || !lost.isOpen()) {
            return; // known already: both ends may see it break
        }
        log.warn("{}: the peer lost channel {} ({}): {}", settings.where(), channel, weSend ? "out" : "in", why);
        if (lost instanceof OutboundChannel c) {
            outbound.down(c, why);
        } else if (lost instanceof InboundChannel c) {
            inbound.down(c, why);
        }
        lost("channel " + channel + ": " + why);
    }

    /** A channel is lost from the beginning: its rail does not work yet. The other end knows it too. */
    public void withoutRail(boolean sending, int channel, String why) {
        ChannelEnd<?> end = sending ? outbound.channel(channel) : inbound.channel(channel);
        if (end instanceof OutboundChannel c) {
            outbound.down(c, why);
        } else if (end instanceof InboundChannel c) {
            inbound.down(c, why);
        }
        losses++;
    }

    private void broken(boolean sending, int channel, int generation, String description, TransportException why) {
        String text = "channel " + channel + " (" + description + "): " + why.getMessage();
        log.warn("{}: lost {}", settings.where(), text);
        if (settings.confirmed()) {
            control.channelDown(!sending, channel, generation, text);
        }
        lost(text);
    }

    private void lost(String channel) {
        losses++;
        if (!settings.confirmed()) {
            throw new LinkException(
                    settings.where(),
                    "lost " + channel
                            + "; a link of the uccl bootstrap needs every channel, one of the sluice bootstrap would go on");
        }
    }

    /** How often a channel was lost: a change says that there is something to bring back. */
    public int losses() {
        return losses;
    }

    /** Whether a channel is there and not lost. */
    public boolean isOpen(boolean sending, int channel) {
        ChannelEnd<?> end = sending ? outbound.channel(channel) : inbound.channel(channel);
        return end != null && end.isOpen();
    }

    /** Whether nothing of a lost channel's life is under way any more, so that another may begin. */
    public boolean isDrained(boolean sending, int channel) {
        if (sending) {
            OutboundChannel c = outbound.channel(channel);
            return c == null || (!c.isOpen() && c.isIdle());
        }
        InboundChannel c = inbound.channel(channel);
        return c == null || (!c.isOpen() && c.isIdle());
    }

    /** Why a channel was lost; empty while it is not. */
    public String lossReason(boolean sending, int channel) {
        ChannelEnd<?> end = sending ? outbound.channel(channel) : inbound.channel(channel);
        String why = end == null ? null : end.lostBecause();
        return why == null ? "" : why;
    }

    public int openChannels(boolean sending) {
        return sending ? outbound.openChannels() : inbound.openChannels();
    }

    /** When the last of a direction's rails gave its last sign of life, {@link System#nanoTime}, where every channel is lost. */
    public long lastSign(boolean sending) {
        return sending ? outbound.lastSign() : inbound.lastSign();
    }

    /** The peer said something on the control connection: it is alive. */
    public void heard(long now) {
        pulse.heard(now);
    }

    /** Registers a block on every channel now instead of at its first use. */
    public void register(MemoryBlock block) throws TransportException {
        if (memory != null && memory.isOn()) {
            memory.number(block); // begins to share it
        }
        outbound.register(block);
        inbound.register(block);
    }

    /** Forgets a block that no transfer uses. */
    public void forget(MemoryBlock block) throws TransportException {
        outbound.forget(block);
        inbound.forget(block);
    }

    /** Looks at the transport's side of every open channel of a direction, by its number. */
    public void eachOpen(boolean sending, ObjIntConsumer<Channel> look) {
        if (sending) {
            outbound.eachOpen(look);
        } else {
            inbound.eachOpen(look);
        }
    }

    /** One turn. @param now {@link System#nanoTime} @return how much was done; 0 means the agent may rest */
    public int doWork(long now) {
        if (failure != null) {
            return 0;
        }
        return outbound.doWork(now) + inbound.doWork(now);
    }

    /** Whether a copy or an unpack is under way, or awaited from a queue that others have filled: nobody rings a doorbell for it. */
    public boolean isCopying() {
        return failure == null && (outbound.isCopying() || inbound.isCopying());
    }

    /** Whether more chunks are under way on a channel than it rings for one by one. */
    public boolean isBatching() {
        return failure == null && (!outbound.isIdle() || inbound.isBatching());
    }

    /** Whether the peer is to do something now. A receive that nothing was sent for may wait for ever. */
    public boolean isUnderWay() {
        return outbound.transfers().unfinished() > 0 || inbound.transfers().isUnderWay();
    }

    /** Nanoseconds until a transfer has to end, or {@code most} where none has to so soon. */
    public long nanosToDeadline(long now, long most) {
        if (failure != null) {
            return most;
        }
        long sending = outbound.transfers().nextDeadline(now + most) - now;
        long receiving = inbound.transfers().nextDeadline(now + most) - now;
        return Math.max(0, Math.min(most, Math.min(sending, receiving)));
    }

    /** Transfers that are not finished, both directions. */
    public int unfinished() {
        return outbound.transfers().unfinished() + inbound.transfers().unfinished();
    }

    public @Nullable SluiceException failure() {
        return failure;
    }

    /** Closes every channel, then fails every transfer. Idempotent. */
    public void fail(SluiceException why) {
        if (failure == null) {
            failure = why;
            if (memory != null) {
                memory.giveUp();
            }
            try {
                outbound.fail(why);
            } finally {
                inbound.fail(why);
            }
        }
    }
}
