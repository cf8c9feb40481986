package org.sluice.transfer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LengthMismatchException;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.SluiceException;
import org.sluice.TransferRefusal;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;

/**
 * The sending half of a link: announces transfers, sends their chunks on the channels as the striping says, and completes them
 * when the receiver has confirmed.
 */
final class Outbound {
    private final EngineSettings settings;
    private final LinkControl control;
    private final @Nullable OutboundChannel[] channels;
    private final Striping<OutboundTransfer> striping;
    private final @Nullable GrantedStriping granted;
    private final @Nullable RoundRobinStriping<OutboundTransfer> roundRobin;
    private final ChunkPick<OutboundTransfer> pick = new ChunkPick<>();
    private final TransferTable<OutboundTransfer> active = new TransferTable<>();
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    private long sends;
    private long writes;
    private long readsAsked;
    private int reading;
    private long now;

    Outbound(EngineSettings settings, LinkControl control, Pulse pulse, int channels, BrokenChannelListener broken) {
        this.settings = settings;
        this.control = control;
        this.pulse = pulse;
        this.channels = new OutboundChannel[channels];
        this.broken = broken;
        if (settings.roundRobin()) {
            roundRobin = new RoundRobinStriping<>(channels);
            granted = null;
            striping = roundRobin;
        } else {
            roundRobin = null;
            granted = new GrantedStriping(channels, Integer.highestOneBit(settings.receiveWindow() * 2 - 1));
            striping = granted;
        }
    }

    void open(OutboundChannel channel) {
        channels[channel.index] = channel;
    }

    @Nullable OutboundChannel channel(int index) {
        return channels[index];
    }

    int unfinished() {
        return active.size();
    }

    void send(MemoryBlock block, long offset, long length, Completion completion) {
        OutboundTransfer t = new OutboundTransfer(
                MessageId.of(MessageId.TWO_SIDED, sends++), block, offset, length, settings.chunkBytes(), completion);
        if (settings.confirmed()) {
            control.open(t.id, length);
        }
        start(t);
    }

    void write(
            MemoryBlock block,
            long offset,
            long length,
            long keyHigh,
            long keyLow,
            long remoteOffset,
            Completion completion) {
        OutboundTransfer t = new OutboundTransfer(
                MessageId.of(MessageId.WRITE, writes++), block, offset, length, settings.chunkBytes(), completion);
        control.write(t.id, keyHigh, keyLow, remoteOffset, length);
        start(t);
    }

    /** The peer asks to read: its reads are numbered in turn, and not more than it may have unfinished. */
    void asked(long id) {
        if (MessageId.kind(id) != MessageId.READ || MessageId.count(id) != readsAsked) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer asked for " + MessageId.toString(id) + ", expected was read " + readsAsked);
        }
        if (reading >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    settings.where(), "the peer has more than " + EngineSettings.MAX_TRANSFERS + " reads unfinished");
        }
        readsAsked++;
    }

    /** The peer may read: it is told so, and grants what it wants. */
    void serveRead(long id, MemoryBlock block, long offset, long length, Completion completion) {
        reading++;
        control.open(id, length);
        start(new OutboundTransfer(id, block, offset, length, settings.chunkBytes(), completion));
    }

    private void start(OutboundTransfer t) {
        t.startedAt = now;
        active.put(t);
        if (roundRobin != null) {
            roundRobin.add(t);
        }
        if (!settings.confirmed() && t.chunks == 0) {
            complete(t);
        }
    }

    void granted(long id, long offset, int channel, int generation) {
        if (granted == null || channel < 0 || channel >= channels.length) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted a chunk on channel " + channel
                            + ", this link has " + channels.length + " and "
                            + (granted == null ? "round-robin" : "adaptive") + " striping");
        }
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed || !t.isChunkStart(offset)) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted offset " + offset + " of " + MessageId.toString(id)
                            + (t == null || t.landed ? ", which is not being sent" : " of " + t.length + " bytes"));
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
        if (!granted.grant(channel, t, offset)) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer granted more than its window of " + settings.receiveWindow() + " chunks on channel "
                            + channel);
        }
    }

    void confirmed(long id) {
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed) {
            throw new ProtocolException(
                    settings.where(), "the peer confirmed " + MessageId.toString(id) + ", which is not being sent");
        }
        if (t.granted > 0 || t.given < t.chunks) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer confirmed " + MessageId.toString(id)
                            + " before it was sent: of its " + t.chunks + " chunks " + t.given
                            + " were given to a channel, "
                            + t.granted + " are granted and wait");
        }
        t.landed = true;
        if (MessageId.kind(id) == MessageId.READ) {
            reading--;
        }
        if (t.inFlight == 0) {
            complete(t);
        }
    }

    void refused(long id, TransferRefusal why, long detail) {
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed || (roundRobin == null && t.granted + t.given > 0)) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer refused " + MessageId.toString(id)
                            + (t == null || t.landed
                                    ? ", which is not being sent"
                                    : " after it had granted chunks of it"));
        }
        String what = MessageId.toString(id);
        SluiceException e = why == TransferRefusal.LENGTH
                ? new LengthMismatchException(
                        settings.where(),
                        what + ": this side sends " + t.length + " bytes, the peer's receive is of " + detail
                                + "; give both sides the same length")
                : new RemoteAccessException(settings.where(), what + " of " + t.length + " bytes", why);
        if (roundRobin != null) {
            throw e; // chunks may be on the wire already: this ends the link, here as on the peer's side
        }
        active.remove(id);
        t.completion.failed(e);
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        int work = 0;
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
                while (c.hasRoom() && striping.next(c.index, pick)) {
                    OutboundTransfer t = pick.transfer();
                    if (t.given++ == 0) {
                        t.startedAt = now;
                    }
                    t.inFlight++;
                    c.take(t, pick.offset(), now);
                    work++;
                }
                work += c.post(now);
                if (active.size() > 0) {
                    checkRail(c);
                }
            } catch (TransportException e) {
                down(c, String.valueOf(e.getMessage()));
                broken.broken(true, c.index, c.generation, c.channel.description(), e);
            }
            c.turned(granted != null && active.size() > 0, now);
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

    /** Closes a channel that broke here or at the peer. */
    void down(OutboundChannel c, String why) {
        if (granted != null) {
            granted.clear(c.index);
        }
        c.lost(why);
        c.abandon(this, now);
    }

    void sent(OutboundTransfer t) {
        t.inFlight--;
        t.sent++;
        if (t.inFlight == 0 && (settings.confirmed() ? t.landed : t.sent == t.chunks)) {
            complete(t);
        }
    }

    void abandoned(OutboundTransfer t) {
        t.inFlight--;
        if (t.inFlight == 0 && t.landed) {
            complete(t);
        }
    }

    private void complete(OutboundTransfer t) {
        active.remove(t.id);
        t.completion.done(t.startedAt);
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

    void fail(SluiceException why) {
        for (OutboundChannel c : channels) {
            if (c != null) {
                c.closeForGood();
            }
        }
        for (OutboundChannel c : channels) {
            if (c != null) {
                c.awaitClosed();
            }
        }
        List<OutboundTransfer> all = new ArrayList<>();
        active.drain(all::add);
        for (OutboundTransfer t : all) {
            t.completion.failed(why);
        }
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
}
