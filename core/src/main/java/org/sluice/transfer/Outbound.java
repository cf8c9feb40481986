package org.sluice.transfer;

import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.SluiceException;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;

/** The channels that a link sends on: each sends what the receiver has granted on it, or what both sides derive that it is to. */
final class Outbound implements Sending.Sender {
    private final EngineSettings settings;
    private final @Nullable OutboundChannel[] channels;
    private final Striping<OutboundTransfer> striping;
    private final @Nullable GrantedStriping granted;
    private final @Nullable RoundRobinStriping<OutboundTransfer> derived;
    private final ChunkPick<OutboundTransfer> pick = new ChunkPick<>();
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    /** Pinned slots for chunks that the transport cannot take from where they are. */
    private @Nullable StagingShare staging;

    private long now;
    private final Sending transfers;

    Outbound(LinkParts parts, int channels, BrokenChannelListener broken) {
        this.settings = parts.settings();
        this.pulse = parts.pulse();
        this.channels = new OutboundChannel[channels];
        this.broken = broken;
        if (!settings.confirmed()) {
            derived = new RoundRobinStriping<>(channels, settings.chunkBytes());
            granted = null;
            striping = derived;
        } else {
            derived = null;
            granted = new GrantedStriping(channels, Integer.highestOneBit(settings.receiveWindow() * 2 - 1));
            striping = granted;
        }
        this.transfers = new Sending(parts, this);
    }

    Sending transfers() {
        return transfers;
    }

    @Override
    public void begun(OutboundTransfer t) {
        if (derived != null) {
            derived.add(t);
        }
    }

    @Override
    public boolean isProtected() {
        for (OutboundChannel c : channels) {
            if (c == null || c.channel.isProtected()) {
                return true;
            }
        }
        return false;
    }

    /** Ends what the peer reads by a key. @param atOnce whether the channels that carry it are given up */
    void withdraw(long keyHigh, long keyLow, boolean atOnce) {
        List<OutboundTransfer> concerned = transfers.withdraw(keyHigh, keyLow);
        if (atOnce) {
            expectEnded(concerned);
        }
        for (OutboundChannel c : channels) {
            if (atOnce && c != null && c.isOpen() && concerned.stream().anyMatch(c::carries)) {
                lost(
                        c,
                        new TransportException(
                                "it carries what a peer may not read any more, and does not come to an end"));
            }
        }
    }

    /** Nobody can take memory back from a process that has it open and does not end its copy: the link ends. */
    private void expectEnded(List<OutboundTransfer> concerned) {
        if (concerned.stream().anyMatch(t -> t.isPulled() && t.announced)) {
            throw new LinkException(
                    settings.where(), "the peer copies memory that it may not read any more, and does not end that");
        }
    }

    void sent(OutboundTransfer t, long bytes) {
        transfers.sent(t, bytes);
    }

    void abandoned(OutboundTransfer t) {
        transfers.abandoned(t);
    }

    /** @param slots the link's part in the pinned slots, where this channel goes through such */
    void open(OutboundChannel channel, @Nullable StagingShare slots) {
        if (slots != null) {
            staging = slots;
            if (derived != null) {
                derived.dealInOrder();
            }
        }
        channels[channel.index] = channel;
    }

    @Nullable OutboundChannel channel(int index) {
        return channels[index];
    }

    void granted(long id, long offset, long bytes, int channel, int generation) {
        if (granted == null || channel < 0 || channel >= channels.length) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted a chunk on channel " + channel + ", this link has " + channels.length);
        }
        OutboundTransfer t = transfers.grantable(id);
        if (t == null || !t.isChunk(offset, bytes)) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted " + bytes + " bytes at offset " + offset
                            + " of " + MessageId.toString(id)
                            + (t == null
                                    ? ", which is not being sent"
                                    : " of " + t.length + " bytes in chunks of " + t.mostChunk));
        }
        OutboundChannel c = channels[channel];
        // the wire carries 16 bits of it, which wrap
        int ahead = c == null ? 1 : (short) (generation - c.generation);
        if (c == null || ahead > 0) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted a chunk on channel " + channel + " in generation " + generation
                            + ", which has not begun here");
        }
        if (!c.isOpen() || ahead < 0) {
            return; // it broke here meanwhile: the peer has been told, and grants the chunk elsewhere
        }
        if (!granted.grant(channel, t, offset, bytes)) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted more than its window of " + settings.receiveWindow() + " chunks on channel "
                            + channel);
        }
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        int work = transfers.doWork(now);
        boolean lacksSlots = false;
        for (OutboundChannel c : channels) {
            if (c == null) {
                continue;
            }
            if (!c.isOpen()) {
                c.settle(this);
                continue;
            }
            try {
                work += c.reap(this, now);
                while (c.hasRoom()) {
                    if (!c.maySlot()) {
                        lacksSlots |= striping.hasNext(c.index);
                        break;
                    }
                    if (!striping.next(c.index, pick)) {
                        break;
                    }
                    OutboundTransfer t = pick.transfer();
                    if (t.given == 0) {
                        t.startedAt = now;
                    }
                    t.given += pick.bytes();
                    t.inFlight++;
                    c.take(t, pick.offset(), pick.bytes(), now);
                    work++;
                }
                c.flush();
                work += c.post(now);
                if (transfers.isActive()) {
                    checkRail(c);
                } else {
                    c.settled();
                }
            } catch (TransportException e) {
                lost(c, e);
            }
            c.turned(granted != null && transfers.isActive(), now);
        }
        if (staging != null) {
            staging.waits(lacksSlots);
        }
        return work;
    }

    private void checkRail(OutboundChannel c) throws TransportException {
        switch (c.rail(now, pulse.heardAt())) {
            case MOVING -> {}
            case SUSPECT -> pulse.ask(now);
            case DEAD ->
                throw new TransportException("what was sent has had no answer for " + c.unanswered() / 1_000_000
                        + " ms, with the peer alive: the rail is dead");
        }
    }

    private void lost(OutboundChannel c, TransportException why) {
        down(c, String.valueOf(why.getMessage()));
        broken.broken(true, c.index, c.generation, c.channel.description(), why);
    }

    /** Closes a channel that broke here or at the peer. */
    void down(OutboundChannel c, String why) {
        if (granted != null) {
            granted.clear(c.index);
        }
        c.lost(why);
        c.abandon(this, now);
    }

    /** Whether something needs the agent's turn soon although no doorbell will ring for it. */
    boolean isCopying() {
        for (OutboundChannel c : channels) {
            if (c != null && c.isCopying()) {
                return true;
            }
        }
        return false;
    }

    boolean isIdle() {
        for (OutboundChannel c : channels) {
            if (c != null && !c.isIdle()) {
                return false;
            }
        }
        return true;
    }

    void forget(MemoryBlock block) throws TransportException {
        for (OutboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                c.forget(block);
            }
        }
    }

    void register(MemoryBlock block) throws TransportException {
        for (OutboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                c.register(block);
            }
        }
    }

    void eachOpen(ObjIntConsumer<Channel> look) {
        for (OutboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                look.accept(c.channel, c.index);
            }
        }
    }

    int openChannels() {
        int n = 0;
        for (OutboundChannel c : channels) {
            n += c != null && c.isOpen() ? 1 : 0;
        }
        return n;
    }

    /** When the last of the rails gave its last sign of life, where every channel is lost. */
    long lastSign() {
        long latest = Long.MIN_VALUE;
        for (OutboundChannel c : channels) {
            latest = c == null ? latest : Math.max(latest, c.lastSign());
        }
        return latest;
    }

    void fail(SluiceException why) {
        for (OutboundChannel c : channels) {
            if (c != null) {
                c.closeForGood();
            }
        }
        for (OutboundChannel c : channels) {
            if (c != null && c.awaitClosed()) {
                c.free();
            }
        }
        transfers.fail(why);
    }
}
