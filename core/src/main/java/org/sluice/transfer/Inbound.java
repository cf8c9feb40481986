package org.sluice.transfer;

import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/**
 * The channels that a link receives on: posts chunk buffers on them as the striping says, grants the chunks, and sees to it that what a
 * broken channel owed comes on another. It alone knows what is missing.
 */
final class Inbound implements Receiving.Dealer {
    /** From so many channels on, one is kept quick. */
    private static final int CHANNELS_WITH_QUICK = 4;

    private static final int NONE = -1;

    private final EngineSettings settings;
    private final LinkControl control;
    private final @Nullable InboundChannel[] channels;
    private final Striping<InboundTransfer> striping;
    private final @Nullable PulledStriping pulled;
    private final @Nullable RoundRobinStriping<InboundTransfer> derived;
    private final ChunkPick<InboundTransfer> pick = new ChunkPick<>();
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    private final @Nullable UnpackQueue unpack;
    private final @Nullable Pulling pulling;
    /** The channel on which little waits; {@link #NONE} where there is no such. */
    private final int quick;

    private final Newcomers newcomers;

    /** Pinned slots for chunks that the transport cannot bring to their place. */
    private @Nullable StagingShare staging;

    private boolean lacksSlots;

    private int nextToDeal;
    private long now;

    /** When there was last nothing to receive. */
    private long idleAt;

    private final Receiving transfers;

    Inbound(LinkParts parts, int channels, @Nullable UnpackQueue unpack, BrokenChannelListener broken) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.pulse = parts.pulse();
        this.channels = new InboundChannel[channels];
        this.unpack = unpack;
        this.broken = broken;
        this.quick =
                settings.confirmed() && !settings.roundRobin() && channels >= CHANNELS_WITH_QUICK ? channels - 1 : NONE;
        this.newcomers = new Newcomers(settings.chunkBytes(), settings.chunkBytes() * settings.receiveWindow());
        if (!settings.confirmed()) {
            derived = new RoundRobinStriping<>(channels, settings.chunkBytes());
            pulled = null;
            striping = derived;
        } else {
            derived = null;
            pulled = new PulledStriping(settings.chunkBytes(), channels, settings.roundRobin(), this::isOpen);
            striping = pulled;
        }
        PulledMemory memory = parts.memory();
        this.pulling = memory == null ? null : new Pulling(settings.where(), memory, this::pulled);
        this.transfers = new Receiving(parts, this);
    }

    Receiving transfers() {
        return transfers;
    }

    @Override
    public void add(InboundTransfer t) {
        if (t.source != null && pulling != null) {
            pulling.add(t);
        } else if (derived != null) {
            derived.add(t);
        } else if (pulled != null) {
            newcomers.came(t.length, now);
            pulled.add(t);
        }
    }

    @Override
    public void remove(InboundTransfer t) {
        if (t.source != null && pulling != null) {
            pulling.remove(t);
        } else if (pulled != null) {
            pulled.remove(t);
        }
    }

    /** Ends what the peer writes by a key. @param atOnce whether the channels that it owes it on are given up */
    void withdraw(long keyHigh, long keyLow, boolean atOnce) {
        List<InboundTransfer> concerned = transfers.withdraw(keyHigh, keyLow);
        for (InboundChannel c : channels) {
            if (atOnce && c != null && c.isOpen() && concerned.stream().anyMatch(c::carries)) {
                lost(
                        c,
                        new TransportException(
                                "what a peer may not write any more has been granted on it and does not come"));
            }
        }
    }

    /** Bytes of the peer's memory are here: of the direction that is a sign of life. */
    private void pulled(InboundTransfer t, long bytes) {
        idleAt = now;
        landed(t, bytes);
    }

    void landed(InboundTransfer t, long bytes) {
        transfers.landed(t, bytes);
    }

    /** @param slots the link's part in the pinned slots, where this channel goes through such */
    void open(InboundChannel channel, @Nullable StagingShare slots) {
        if (slots != null) {
            staging = slots;
            if (derived != null) {
                derived.dealInOrder();
            }
        }
        channels[channel.index] = channel;
    }

    @Nullable InboundChannel channel(int index) {
        return channels[index];
    }

    private boolean isOpen(int channel) {
        InboundChannel c = channels[channel];
        return c != null && c.isOpen();
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        if (!transfers.isActive()) {
            idleAt = now;
        }
        int work = transfers.doWork(now);
        if (pulling != null) {
            work += pulling.doWork();
        }
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                try {
                    int arrived = c.arrive(this, now);
                    if (arrived > 0) {
                        pulse.heard(now);
                    }
                    checkRail(c);
                    work += arrived + c.land(this, now);
                } catch (TransportException e) {
                    lost(c, e);
                }
            } else if (c != null) {
                c.settle(this, now);
            }
        }
        work += deal();
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                try {
                    work += c.post(this, now);
                } catch (TransportException e) {
                    lost(c, e);
                }
            }
            if (c != null) {
                c.flush();
                c.turned(now);
            }
        }
        if (unpack != null) {
            unpack.flush();
        }
        return work;
    }

    private void checkRail(InboundChannel c) throws TransportException {
        switch (c.rail(now, pulse.heardAt())) {
            case MOVING -> {}
            case SUSPECT -> pulse.ask(now);
            case DEAD ->
                throw new TransportException("no byte has come for " + c.silence(now) / 1_000_000 + " ms, with "
                        + c.awaited() + " chunks awaited and the peer alive");
        }
    }

    /**
     * Gives chunks to channels that have room, one each in turn, until none has room or nothing is left: a short message too
     * goes over every rail, and a row of shorter ones does not all meet on the first.
     */
    private int deal() {
        int dealt = 0;
        lacksSlots = false;
        for (int passed = 0; passed < channels.length; passed++) {
            InboundChannel c = channels[nextToDeal];
            nextToDeal = nextToDeal + 1 == channels.length ? 0 : nextToDeal + 1;
            if (c != null && c.isOpen() && next(c)) {
                pick.transfer().inFlight++;
                c.take(pick.transfer(), pick.offset(), pick.bytes(), now);
                dealt++;
                passed = -1;
            }
        }
        if (staging != null) {
            staging.waits(lacksSlots);
        }
        return dealt;
    }

    /**
     * Chooses what a channel takes next. Where short transfers come, one of the channels never has more chunks of long ones
     * ahead than keep it busy, so that a short one finds a way on which little waits.
     */
    private boolean next(InboundChannel c) {
        if (!c.maySlot()) {
            lacksSlots |= striping.hasNext(c.index);
            return false;
        }
        PulledStriping p = pulled;
        if (p == null) {
            return c.hasRoom(false) && striping.next(c.index, pick);
        }
        boolean shared = p.waiting() > 1 && newcomers.areBrief(now);
        if (c.index != quick || !newcomers.areShort(now)) {
            return c.hasRoom(shared) && p.next(c.index, pick);
        }
        return p.hasShort() ? c.hasRoom(false) && p.nextShort(pick) : c.hasQuickRoom() && p.next(c.index, pick);
    }

    /** The peer hears that the channel is closed before it hears of what that ends: until then it takes its grants for good. */
    private void lost(InboundChannel c, TransportException why) {
        c.lost(String.valueOf(why.getMessage()));
        c.close();
        broken.broken(false, c.index, c.generation, c.channel.description(), why);
        c.settle(this, now);
    }

    /** Closes a channel that broke here or at the peer, and has its chunks granted elsewhere. */
    void down(InboundChannel c, String why) {
        c.lost(why);
        c.abandon(this, now);
    }

    void posted(InboundChannel c, InboundTransfer t, long offset, long bytes) {
        if (pulled != null) {
            control.grant(t.id, offset, bytes, c.index, c.generation);
        }
    }

    void takeBack(InboundTransfer t, long offset, long bytes) {
        if (pulled == null) {
            throw new LinkException(
                    settings.where(),
                    "a chunk of " + MessageId.toString(t.id)
                            + " came damaged, and without a control connection it cannot be sent again");
        }
        lost(t, offset, bytes);
    }

    /** A chunk will not come: its sender has cancelled the transfer, and says so by the control connection too. */
    void voided(InboundTransfer t) {
        transfers.voided(t);
    }

    /** What was granted of a transfer that is to end has not come for long: its channels are given up. */
    @Override
    public void collect(InboundTransfer t) {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen() && c.carries(t)) {
                lost(
                        c,
                        new TransportException("chunks of " + MessageId.toString(t.id)
                                + ", which has been cancelled, were granted on it and have not come within "
                                + Receiving.DEBT.toSeconds() + " s"));
            }
        }
    }

    /** A chunk went down with its channel. Where striping is derived so does the link, with the channel's fault as the reason. */
    void lost(InboundTransfer t, long offset, long bytes) {
        if (transfers.lost(t) && pulled != null) {
            pulled.takeBack(t, offset, bytes);
        }
    }

    boolean isCopying() {
        if (pulling != null && pulling.isCopying()) {
            return true;
        }
        for (InboundChannel c : channels) {
            if (c != null && c.isCopying()) {
                return true;
            }
        }
        return false;
    }

    /** Whether more is under way than the transport rings for one by one. */
    boolean isBatching() {
        for (InboundChannel c : channels) {
            if (c != null && (c.isBatching() || (!c.isOpen() && !c.isIdle()))) {
                return true;
            }
        }
        return pulling != null && pulling.isCopying();
    }

    void forget(MemoryBlock block) throws TransportException {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                c.forget(block);
            }
        }
    }

    void register(MemoryBlock block) throws TransportException {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                c.register(block);
            }
        }
    }

    void eachOpen(ObjIntConsumer<Channel> look) {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                look.accept(c.channel, c.index);
            }
        }
    }

    int openChannels() {
        int n = 0;
        for (InboundChannel c : channels) {
            n += c != null && c.isOpen() ? 1 : 0;
        }
        return n;
    }

    /** When the last byte came, on whichever rail; where none was awaited since, when one began to be. */
    long lastSign() {
        long latest = idleAt;
        for (InboundChannel c : channels) {
            latest = c == null ? latest : Math.max(latest, c.lastSign());
        }
        return latest;
    }

    void fail(SluiceException why) {
        for (InboundChannel c : channels) {
            if (c != null) {
                c.closeForGood();
            }
        }
        for (InboundChannel c : channels) {
            if (c != null && c.awaitClosed()) {
                c.free();
            }
        }
        try {
            if (pulling != null) {
                pulling.close();
            }
        } finally {
            transfers.fail(why);
        }
    }
}
