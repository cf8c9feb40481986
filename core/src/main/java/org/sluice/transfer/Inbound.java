package org.sluice.transfer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LengthMismatchException;
import org.sluice.LinkException;
import org.sluice.Pieces;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/**
 * The receiving half of a link: matches announced sends with receives, posts chunk buffers on the channels as the striping says,
 * grants them, and confirms transfers whose last byte has landed. It alone knows what is missing.
 */
final class Inbound {
    private final EngineSettings settings;
    private final LinkControl control;
    private final @Nullable InboundChannel[] channels;
    private final Striping<InboundTransfer> striping;
    private final @Nullable PulledStriping pulled;
    private final @Nullable RoundRobinStriping<InboundTransfer> derived;
    private final SaidLayouts layouts;
    private final Posting<InboundTransfer> posting = new Posting<>(this::mayGo, this::announce);
    private final ChunkPick<InboundTransfer> pick = new ChunkPick<>();
    private final TransferTable<InboundTransfer> active = new TransferTable<>();
    /** Reads that the owner of the region has not accepted yet: nothing is posted for them, so a refusal leaves no trace. */
    private final TransferTable<InboundTransfer> requested = new TransferTable<>();

    private final ArrayDeque<InboundTransfer> receives = new ArrayDeque<>();
    private final ArrayDeque<Announcement> announced = new ArrayDeque<>();
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    private final @Nullable UnpackQueue unpack;
    private long receiveCount;
    private long announcedCount;
    private long reads;
    private long writesAsked;
    private int writing;
    private int unfinishedSends;
    private int nextToDeal;
    private long now;
    /** When there was last nothing to receive. */
    private long idleAt;

    Inbound(
            EngineSettings settings,
            LinkControl control,
            SaidLayouts layouts,
            Pulse pulse,
            int channels,
            @Nullable UnpackQueue unpack,
            BrokenChannelListener broken) {
        this.settings = settings;
        this.control = control;
        this.layouts = layouts;
        this.pulse = pulse;
        this.channels = new InboundChannel[channels];
        this.unpack = unpack;
        this.broken = broken;
        if (!settings.confirmed()) {
            derived = new RoundRobinStriping<>(channels, settings.chunkBytes());
            pulled = null;
            striping = derived;
        } else {
            derived = null;
            pulled = new PulledStriping(settings.chunkBytes(), channels, settings.roundRobin(), this::isOpen);
            striping = pulled;
        }
    }

    void open(InboundChannel channel) {
        channels[channel.index] = channel;
    }

    @Nullable InboundChannel channel(int index) {
        return channels[index];
    }

    int unfinished() {
        return receives.size() + posting.size() + requested.size() + active.size();
    }

    private boolean isOpen(int channel) {
        InboundChannel c = channels[channel];
        return c != null && c.isOpen();
    }

    InboundTransfer receive(PieceMap map, TransferOptions options, Completion completion, long nanoTime) {
        now = nanoTime;
        InboundTransfer t = new InboundTransfer(
                MessageId.of(MessageId.TWO_SIDED, receiveCount++), map, null, options, completion);
        receives.add(t);
        match();
        return t;
    }

    void announced(Announcement a, long nanoTime) {
        now = nanoTime;
        InboundTransfer asked = requested.get(a.id());
        if (asked != null && asked.length == a.length() && a.mostChunk() > 0) {
            requested.remove(a.id());
            asked.priority = asked.options.priority();
            start(asked, a.mostChunk());
            return;
        }
        if (MessageId.kind(a.id()) != MessageId.TWO_SIDED || MessageId.count(a.id()) != announcedCount) {
            throw new ProtocolException(settings.where(), "the peer announced " + MessageId.toString(a.id()) + " of "
                    + a.length() + " bytes, expected was transfer " + announcedCount);
        }
        check(a);
        if (unfinishedSends >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer announced more than " + EngineSettings.MAX_TRANSFERS
                            + " transfers that are not finished");
        }
        announcedCount++;
        unfinishedSends++;
        announced.add(a);
        match();
    }

    private void check(Announcement a) {
        if (a.length() < 0
                || a.mostChunk() <= 0
                || a.priority() < 0
                || a.priority() > PulledStriping.MOST_PRIORITY) {
            throw new ProtocolException(settings.where(), "the peer announced " + MessageId.toString(a.id()) + " of "
                    + a.length() + " bytes, in chunks of at most " + a.mostChunk() + ", with priority " + a.priority());
        }
    }

    /** The n-th send meets the n-th receive. Without a control connection nothing is announced: each receive stands for itself. */
    private void match() {
        while (!receives.isEmpty()) {
            if (settings.confirmed()) {
                Announcement send = announced.poll();
                if (send == null) {
                    return;
                }
                InboundTransfer t = receives.remove();
                if (send.length() != t.length) {
                    mismatch(t, send.length());
                } else {
                    t.priority = send.priority();
                    start(t, send.mostChunk());
                }
            } else {
                start(receives.remove(), settings.chunkBytes());
            }
        }
    }

    private void mismatch(InboundTransfer t, long sendLength) {
        SluiceException e = new LengthMismatchException(
                settings.where(),
                MessageId.toString(t.id)
                        + ": the peer sends " + sendLength + " bytes, this side's receive is of " + t.length
                        + "; give both sides the same length");
        unfinishedSends--;
        control.refused(t.id, TransferRefusal.LENGTH, t.length);
        t.completion.failed(e);
    }

    /** The peer asks to write: its writes are numbered in turn, and not more than it may have unfinished. */
    void asked(Announcement a) {
        long id = a.id();
        check(a);
        if (MessageId.kind(id) != MessageId.WRITE || MessageId.count(id) != writesAsked) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer asked for " + MessageId.toString(id) + ", expected was write " + writesAsked);
        }
        if (writing >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    settings.where(), "the peer has more than " + EngineSettings.MAX_TRANSFERS + " writes unfinished");
        }
        writesAsked++;
    }

    /** The peer writes into memory of ours; key, bounds and rights are checked. */
    void serveWrite(Announcement a, PieceMap map, Completion completion, long nanoTime) {
        now = nanoTime;
        writing++;
        InboundTransfer t = new InboundTransfer(a.id(), map, null, TransferOptions.NONE, completion);
        t.priority = a.priority();
        start(t, a.mostChunk());
    }

    InboundTransfer read(
            PieceMap map, RemoteLayout from, TransferOptions options, Completion completion, long nanoTime) {
        now = nanoTime;
        InboundTransfer t = new InboundTransfer(0, map, from, options, completion);
        posting.post(t);
        return t;
    }

    private boolean mayGo(InboundTransfer t) {
        return control.hasRoom() && layouts.hasRoom(t.remote);
    }

    private void announce(InboundTransfer t) {
        RemoteLayout from = t.remote;
        if (from == null) {
            throw new IllegalStateException("a read from nowhere");
        }
        t.id = MessageId.of(MessageId.READ, reads++);
        if (SaidLayouts.isSaid(from)) {
            int number = layouts.say(from);
            control.read(announcement(t, Announcement.LAYOUT), from.regions().getFirst(), 0, number);
        } else {
            Pieces.Range range = (Pieces.Range) from.pieces();
            control.read(announcement(t, 0), from.regions().getFirst(), range.offset(), 0);
        }
        requested.put(t);
    }

    private Announcement announcement(InboundTransfer t, int flags) {
        return new Announcement(t.id, t.length, settings.chunkBytes(), t.options.priority(), flags, 0);
    }

    /** The owner of the region will not let this side read. */
    void refused(long id, TransferRefusal why) {
        InboundTransfer t = requested.get(id);
        if (t == null) {
            throw new ProtocolException(
                    settings.where(), "the peer refused " + MessageId.toString(id) + ", which is not being read");
        }
        requested.remove(id);
        layouts.ended(t.remote);
        t.completion.failed(new RemoteAccessException(
                settings.where(), MessageId.toString(id) + " of " + t.length + " bytes", why));
    }

    /** @param peersMost the longest chunk that the sender can do */
    private void start(InboundTransfer t, long peersMost) {
        t.startedAt = now;
        t.mostChunk = Math.min(Math.min(peersMost, settings.chunkBytes()), t.map.mostChunk());
        if (t.length == 0) {
            finish(t);
            return;
        }
        active.put(t);
        if (derived != null) {
            derived.add(t);
        } else if (pulled != null) {
            pulled.add(t);
        }
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        if (active.size() == 0) {
            idleAt = now;
        }
        int work = posting.doWork();
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
        for (int passed = 0; passed < channels.length; passed++) {
            InboundChannel c = channels[nextToDeal];
            nextToDeal = nextToDeal + 1 == channels.length ? 0 : nextToDeal + 1;
            if (c != null && c.isOpen() && c.hasRoom() && striping.next(c.index, pick)) {
                c.take(pick.transfer(), pick.offset(), pick.bytes(), now);
                dealt++;
                passed = -1;
            }
        }
        return dealt;
    }

    private void lost(InboundChannel c, TransportException why) {
        down(c, String.valueOf(why.getMessage()));
        broken.broken(false, c.index, c.generation, c.channel.description(), why);
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

    void landed(InboundTransfer t, long bytes) {
        t.landed += bytes;
        if (t.landed == t.length) {
            active.remove(t.id);
            finish(t);
        }
    }

    private void finish(InboundTransfer t) {
        if (settings.confirmed()) {
            if (MessageId.kind(t.id) == MessageId.WRITE) {
                writing--;
            } else if (MessageId.kind(t.id) == MessageId.TWO_SIDED) {
                unfinishedSends--;
            }
            control.landed(t.id);
        }
        layouts.ended(t.remote);
        t.completion.done(t.startedAt);
    }

    void takeBack(InboundTransfer t, long offset, long bytes) {
        if (pulled == null) {
            throw new LinkException(settings.where(), "a chunk of " + MessageId.toString(t.id)
                    + " came damaged, and without a control connection it cannot be sent again");
        }
        pulled.takeBack(t, offset, bytes);
    }

    /** A chunk went down with its channel. Where striping is derived so does the link, with the channel's fault as the reason. */
    void lost(InboundTransfer t, long offset, long bytes) {
        if (pulled != null) {
            pulled.takeBack(t, offset, bytes);
        }
    }

    boolean isCopying() {
        for (InboundChannel c : channels) {
            if (c != null && c.isCopying()) {
                return true;
            }
        }
        return false;
    }

    boolean isIdle() {
        for (InboundChannel c : channels) {
            if (c != null && !c.isIdle()) {
                return false;
            }
        }
        return true;
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
        List<InboundTransfer> all = new ArrayList<>(receives);
        receives.clear();
        announced.clear();
        active.drain(all::add);
        requested.drain(all::add);
        posting.drain(all::add);
        for (InboundTransfer t : all) {
            t.completion.failed(why);
        }
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
}
