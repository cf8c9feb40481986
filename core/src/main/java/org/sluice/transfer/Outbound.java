package org.sluice.transfer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LengthMismatchException;
import org.sluice.Pieces;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
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
    private final @Nullable RoundRobinStriping<OutboundTransfer> derived;
    private final SaidLayouts layouts;
    private final Posting<OutboundTransfer> posting = new Posting<>(this::mayGo, this::announce);
    private final ChunkPick<OutboundTransfer> pick = new ChunkPick<>();
    private final TransferTable<OutboundTransfer> active = new TransferTable<>();
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    private long sends;
    private long writes;
    private long readsAsked;
    private int reading;
    private long now;

    Outbound(
            EngineSettings settings,
            LinkControl control,
            SaidLayouts layouts,
            Pulse pulse,
            int channels,
            BrokenChannelListener broken) {
        this.layouts = layouts;
        this.settings = settings;
        this.control = control;
        this.pulse = pulse;
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
    }

    void open(OutboundChannel channel) {
        channels[channel.index] = channel;
    }

    @Nullable OutboundChannel channel(int index) {
        return channels[index];
    }

    int unfinished() {
        return active.size() + posting.size();
    }

    /** Begins a send, or with {@code remote} a write. */
    OutboundTransfer begin(
            PieceMap map, @Nullable RemoteLayout remote, TransferOptions options, Completion completion) {
        OutboundTransfer t = new OutboundTransfer(0, map, remote, options, settings.chunkBytes(), completion);
        posting.post(t);
        return t;
    }

    private boolean mayGo(OutboundTransfer t) {
        return !settings.confirmed() || (control.hasRoom() && layouts.hasRoom(t.remote));
    }

    private void announce(OutboundTransfer t) {
        RemoteLayout to = t.remote;
        t.id = to == null
                ? MessageId.of(MessageId.TWO_SIDED, sends++)
                : MessageId.of(MessageId.WRITE, writes++);
        if (settings.confirmed()) {
            if (to == null) {
                control.open(announcement(t, 0));
            } else if (SaidLayouts.isSaid(to)) {
                int number = layouts.say(to);
                control.write(announcement(t, Announcement.LAYOUT), to.regions().getFirst(), 0, number);
            } else {
                Pieces.Range range = (Pieces.Range) to.pieces();
                control.write(announcement(t, 0), to.regions().getFirst(), range.offset(), 0);
            }
        }
        start(t);
    }

    private static Announcement announcement(OutboundTransfer t, int flags) {
        return new Announcement(t.id, t.length, t.mostChunk, t.options.priority(), flags, 0);
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
    void serveRead(long id, PieceMap map, Completion completion) {
        reading++;
        OutboundTransfer t =
                new OutboundTransfer(id, map, null, TransferOptions.NONE, settings.chunkBytes(), completion);
        control.open(announcement(t, 0));
        start(t);
    }

    private void start(OutboundTransfer t) {
        t.startedAt = now;
        active.put(t);
        if (derived != null) {
            derived.add(t);
        }
        if (!settings.confirmed() && t.length == 0) {
            complete(t);
        }
    }

    void granted(long id, long offset, long bytes, int channel, int generation) {
        if (granted == null || channel < 0 || channel >= channels.length) {
            throw new ProtocolException(settings.where(), "the peer granted a chunk on channel " + channel
                    + ", this link has " + channels.length);
        }
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed || !t.isChunk(offset, bytes)) {
            throw new ProtocolException(settings.where(), "the peer granted " + bytes + " bytes at offset " + offset
                    + " of " + MessageId.toString(id)
                    + (t == null || t.landed
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
            throw new ProtocolException(settings.where(), "the peer granted more than its window of "
                    + settings.receiveWindow() + " chunks on channel " + channel);
        }
    }

    void confirmed(long id) {
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed) {
            throw new ProtocolException(
                    settings.where(), "the peer confirmed " + MessageId.toString(id) + ", which is not being sent");
        }
        if (t.granted > 0 || t.given < t.length) {
            throw new ProtocolException(settings.where(), "the peer confirmed " + MessageId.toString(id)
                    + " before it was sent: of its " + t.length + " bytes " + t.given + " were given to a channel, "
                    + t.granted + " chunks are granted and wait");
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
        if (t == null || t.landed || t.granted + t.given > 0) {
            throw new ProtocolException(settings.where(), "the peer refused " + MessageId.toString(id)
                    + (t == null || t.landed ? ", which is not being sent" : " after it had granted chunks of it"));
        }
        String what = MessageId.toString(id);
        SluiceException e = why == TransferRefusal.LENGTH
                ? new LengthMismatchException(
                        settings.where(),
                        what + ": this side sends " + t.length + " bytes, the peer's receive is of " + detail
                                + "; give both sides the same length")
                : new RemoteAccessException(settings.where(), what + " of " + t.length + " bytes", why);
        active.remove(id);
        layouts.ended(t.remote);
        t.completion.failed(e);
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        int work = posting.doWork();
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

    void sent(OutboundTransfer t, long bytes) {
        t.inFlight--;
        t.sent += bytes;
        if (t.inFlight == 0 && (settings.confirmed() ? t.landed : t.sent == t.length)) {
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
        layouts.ended(t.remote);
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
            if (c != null && c.awaitClosed()) {
                c.free();
            }
        }
        List<OutboundTransfer> all = new ArrayList<>();
        active.drain(all::add);
        posting.drain(all::add);
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
