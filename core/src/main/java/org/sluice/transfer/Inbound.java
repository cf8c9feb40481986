package org.sluice.transfer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
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

    private final Matching matching = new Matching(this::met);
    private final NotificationCredit credit;
    private final NotificationListener notified;
    private final Deadlines deadlines = new Deadlines();
    private final Consumer<ChunkedTransfer> late = this::late;
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    private final @Nullable UnpackQueue unpack;
    private final SmallBytes small;
    private long receiveCount;
    private long announcedCount;
    private long reads;
    private long writesAsked;
    private int writing;
    private int unfinishedSends;
    private int nextToDeal;
    /** Bytes that came with sends which wait for their receives. */
    private long smallHeld;

    private long now;
    /** When there was last nothing to receive. */
    private long idleAt;

    Inbound(
            EngineSettings settings,
            LinkControl control,
            SaidLayouts layouts,
            NotificationCredit credit,
            NotificationListener notified,
            Pulse pulse,
            int channels,
            @Nullable UnpackQueue unpack,
            SmallBytes small,
            BrokenChannelListener broken) {
        this.small = small;
        this.settings = settings;
        this.control = control;
        this.layouts = layouts;
        this.credit = credit;
        this.notified = notified;
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
        return matching.receives() + posting.size() + requested.size() + active.size();
    }

    private boolean isOpen(int channel) {
        InboundChannel c = channels[channel];
        return c != null && c.isOpen();
    }

    InboundTransfer receive(PieceMap map, TransferOptions options, Completion completion, long nanoTime) {
        now = nanoTime;
        InboundTransfer t =
                new InboundTransfer(MessageId.of(MessageId.TWO_SIDED, receiveCount++), map, null, options, completion);
        if (settings.confirmed()) {
            deadlines.add(t, options.deadline(), now);
            matching.receive(t);
        } else {
            start(t, settings.chunkBytes()); // nothing is announced: each receive stands for itself
        }
        return t;
    }

    void announced(Announcement a, byte @Nullable [] notification, byte @Nullable [] bytes, long nanoTime) {
        now = nanoTime;
        InboundTransfer asked = requested.get(a.id());
        if (asked != null && asked.length == a.length() && a.mostChunk() > 0) {
            requested.remove(a.id());
            asked.priority = asked.options.priority();
            if (asked.ending != EndReason.NONE) {
                endNow(asked);
            } else {
                start(asked, a.mostChunk());
            }
            return;
        }
        if (MessageId.kind(a.id()) != MessageId.TWO_SIDED || MessageId.count(a.id()) != announcedCount) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer announced " + MessageId.toString(a.id()) + " of " + a.length()
                            + " bytes, expected was transfer " + announcedCount);
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
        if (bytes != null) {
            smallHeld += bytes.length;
            if (smallHeld > EngineSettings.SMALL_BYTES_UNDER_WAY) {
                throw new ProtocolException(
                        settings.where(),
                        "the peer's small transfers that wait for their receives have " + smallHeld
                                + " bytes, allowed are " + EngineSettings.SMALL_BYTES_UNDER_WAY);
            }
        }
        matching.announced(new Announced(a, notification, bytes));
    }

    private void check(Announcement a) {
        if (a.length() < 0 || a.mostChunk() <= 0 || a.priority() < 0 || a.priority() > PulledStriping.MOST_PRIORITY) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer announced " + MessageId.toString(a.id()) + " of " + a.length()
                            + " bytes, in chunks of at most " + a.mostChunk() + ", with priority " + a.priority());
        }
    }

    private void met(InboundTransfer t, Announced send) {
        Announcement a = send.announcement;
        t.id = a.id();
        t.notification = send.notification;
        smallHeld -= send.bytes == null ? 0 : send.bytes.length;
        if (send.ending != EndReason.NONE) {
            t.ending = send.ending; // its end was answered already
            t.endedByPeer = true;
            drop(t);
            t.failed(t.ending.exception(settings.where(), MessageId.toString(t.id), true));
        } else if (t.over) {
            unfinishedSends--;
            drop(t);
            control.ended(t.id, t.ending);
        } else if (a.length() != t.length) {
            mismatch(t, a.length());
        } else {
            t.priority = a.priority();
            byte[] bytes = send.bytes;
            if (bytes == null) {
                start(t, a.mostChunk());
            } else {
                small(t, bytes);
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
        drop(t);
        control.refused(t.id, TransferRefusal.LENGTH, t.length);
        t.failed(e);
    }

    /** All of a transfer's bytes came with its announcement. */
    private void small(InboundTransfer t, byte[] bytes) {
        t.startedAt = now;
        small.put(t.map, bytes);
        finish(t);
    }

    private void drop(InboundTransfer t) {
        byte[] notification = t.notification;
        if (notification != null) {
            t.notification = null;
            notified.dropped(notification);
        }
    }

    /** Ends a transfer early, wherever it is: no more of it is granted, and once what is has come, both sides are told. */
    void end(InboundTransfer t, EndReason why) {
        if (t.over || t.ending != EndReason.NONE || !settings.confirmed()) {
            return;
        }
        if (posting.remove(t) || matching.withdraw(t)) {
            t.ending = why;
            t.failed(why.exception(settings.where(), "a transfer of " + t.length + " bytes", false));
        } else if (matching.waits(t)) {
            // it stays where it is: the n-th send is still for the n-th receive, and is told
            t.ending = why;
            t.failed(why.exception(settings.where(), "a receive of " + t.length + " bytes", false));
        } else if (requested.get(t.id) == t) {
            t.ending = why; // the owner's answer, whatever it is, ends it
        } else if (active.get(t.id) == t) {
            stop(t, why);
        }
    }

    private void stop(InboundTransfer t, EndReason why) {
        t.ending = why;
        if (pulled != null) {
            pulled.remove(t);
        }
        if (t.inFlight == 0) {
            active.remove(t.id);
            endNow(t);
        }
    }

    /** Nothing of it is under way, and it is in no table. */
    private void endNow(InboundTransfer t) {
        count(t);
        layouts.ended(t.remote);
        drop(t);
        control.ended(t.id, t.ending);
        t.failed(t.ending.exception(settings.where(), MessageId.toString(t.id), t.endedByPeer));
    }

    /** The sender wants a transfer to end; it may have ended meanwhile. */
    void cancelled(long id, EndReason why) {
        InboundTransfer t = active.get(id);
        Announced waiting = t == null ? matching.find(id) : null;
        if (t != null) {
            if (t.ending == EndReason.NONE) {
                t.endedByPeer = true;
                stop(t, why);
            }
        } else if (waiting != null) {
            if (waiting.ending != EndReason.NONE) {
                throw new ProtocolException(
                        settings.where(), "the peer cancelled " + MessageId.toString(id) + " twice");
            }
            waiting.ending = why;
            unfinishedSends--;
            control.ended(id, why);
        } else if (!wasSaid(id)) {
            throw new ProtocolException(
                    settings.where(), "the peer cancelled " + MessageId.toString(id) + ", which it has not begun");
        }
    }

    private boolean wasSaid(long id) {
        long count = MessageId.count(id);
        return switch ((int) MessageId.kind(id)) {
            case (int) MessageId.TWO_SIDED -> count < announcedCount;
            case (int) MessageId.WRITE -> count < writesAsked;
            case (int) MessageId.READ -> count < reads;
            default -> false;
        };
    }

    /** Ends what the peer writes by a key. */
    void withdraw(long keyHigh, long keyLow, boolean atOnce) {
        List<InboundTransfer> concerned = new ArrayList<>();
        active.each(t -> {
            if (t.completion instanceof PeerAccess.Access a && a.isBy(keyHigh, keyLow)) {
                concerned.add(t);
            }
        });
        concerned.forEach(t -> end(t, EndReason.WITHDRAWN));
        for (InboundChannel c : channels) {
            if (atOnce && c != null && c.isOpen() && concerned.stream().anyMatch(c::carries)) {
                lost(
                        c,
                        new TransportException(
                                "what a peer may not write any more has been granted on it and does not come"));
            }
        }
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
    void serveWrite(
            Announcement a,
            PieceMap map,
            byte @Nullable [] notification,
            byte @Nullable [] bytes,
            Completion completion,
            long nanoTime) {
        now = nanoTime;
        writing++;
        InboundTransfer t = new InboundTransfer(a.id(), map, null, TransferOptions.NONE, completion);
        t.priority = a.priority();
        t.notification = notification;
        if (bytes == null) {
            start(t, a.mostChunk());
        } else {
            small(t, bytes);
        }
    }

    InboundTransfer read(
            PieceMap map, RemoteLayout from, TransferOptions options, Completion completion, long nanoTime) {
        now = nanoTime;
        InboundTransfer t = new InboundTransfer(0, map, from, options, completion);
        deadlines.add(t, options.deadline(), now);
        posting.post(t);
        return t;
    }

    private boolean mayGo(InboundTransfer t) {
        byte[] notification = t.options.notification();
        return control.hasRoom() && layouts.hasRoom(t.remote) && (notification == null || credit.covers(notification));
    }

    private void announce(InboundTransfer t) {
        RemoteLayout from = t.remote;
        if (from == null) {
            throw new IllegalStateException("a read from nowhere");
        }
        t.id = MessageId.of(MessageId.READ, reads++);
        byte[] notification = t.options.notification();
        if (notification != null) {
            credit.spend(notification);
            control.notification(notification);
        }
        if (SaidLayouts.isSaid(from)) {
            int number = layouts.say(from);
            control.read(announcement(t, Announcement.LAYOUT), from.regions().getFirst(), 0, number);
        } else {
            Pieces.Range range = (Pieces.Range) from.pieces();
            control.read(announcement(t, 0), from.regions().getFirst(), range.offset(), 0);
        }
        requested.put(t);
    }

    private Announcement announcement(InboundTransfer t, int more) {
        int flags = more | (t.options.notification() == null ? 0 : Announcement.NOTED);
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
        t.failed(new RemoteAccessException(
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

    private void late(ChunkedTransfer t) {
        end((InboundTransfer) t, EndReason.DEADLINE);
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        if (active.size() == 0) {
            idleAt = now;
        }
        deadlines.passed(now, late);
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
                pick.transfer().inFlight++;
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
        t.inFlight--;
        t.landed += bytes;
        if (t.landed == t.length) {
            active.remove(t.id);
            finish(t);
        } else if (t.ending != EndReason.NONE) {
            settle(t);
        }
    }

    private void settle(InboundTransfer t) {
        if (t.inFlight == 0) {
            active.remove(t.id);
            endNow(t);
        }
    }

    private void count(InboundTransfer t) {
        if (MessageId.kind(t.id) == MessageId.WRITE) {
            writing--;
        } else if (MessageId.kind(t.id) == MessageId.TWO_SIDED) {
            unfinishedSends--;
        }
    }

    private void finish(InboundTransfer t) {
        if (settings.confirmed()) {
            count(t);
            control.landed(t.id);
        }
        layouts.ended(t.remote);
        byte[] notification = t.notification;
        if (notification != null) {
            notified.notified(notification, t.options.tag().orElse(0), t.length);
        }
        t.done();
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

    /** A chunk went down with its channel. Where striping is derived so does the link, with the channel's fault as the reason. */
    void lost(InboundTransfer t, long offset, long bytes) {
        t.inFlight--;
        if (t.ending != EndReason.NONE) {
            settle(t);
        } else if (pulled != null) {
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
        List<InboundTransfer> all = new ArrayList<>();
        matching.drain(all::add);
        active.drain(all::add);
        requested.drain(all::add);
        posting.drain(all::add);
        for (InboundTransfer t : all) {
            if (!t.over) {
                t.failed(why);
            }
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
