package org.sluice.transfer;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LengthMismatchException;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;

/**
 * The transfers that a link sends: announces sends and writes, serves the peer's reads, and completes each when the receiver has
 * confirmed. Which channel carries what is not its business.
 */
final class Sending {
    /** Has the chunks of transfers sent. */
    interface Sender {
        void begun(OutboundTransfer transfer);

        /** Whether a channel is encrypted or checked, or none is there: then no bytes go another way. */
        boolean isProtected();
    }

    private final EngineSettings settings;
    private final LinkControl control;
    private final Sender sender;
    private final SaidLayouts layouts;
    private final NotificationCredit credit;
    private final NotificationListener notified;
    private final Deadlines deadlines = new Deadlines();
    private final Consumer<ChunkedTransfer> late = this::late;
    private final Posting<OutboundTransfer> posting = new Posting<>(this::mayGo, this::announce);
    /** Reads of the peer's that wait until it has the memory open. */
    private final Posting<OutboundTransfer> serving = new Posting<>(this::isOffered, this::serve);

    private final @Nullable PulledMemory memory;
    private final TransferTable<OutboundTransfer> active = new TransferTable<>();
    private final SmallSends along;
    private long sends;
    private long writes;
    private long readsAsked;
    private int reading;
    private long now;

    Sending(LinkParts parts, Sender sender) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.layouts = parts.layouts();
        this.credit = parts.credit();
        this.notified = parts.notified();
        this.along = new SmallSends(parts, sender);
        this.memory = parts.memory();
        this.sender = sender;
    }

    /** Begins what waited, and ends what is late. @return how much was done */
    int doWork(long nanoTime) {
        now = nanoTime;
        deadlines.passed(now, late);
        return posting.doWork() + serving.doWork();
    }

    /** When a transfer is to end at the latest; {@code otherwise} where none has to. */
    long nextDeadline(long otherwise) {
        return deadlines.next(otherwise);
    }

    /** Whether transfers are announced and not over. */
    boolean isActive() {
        return active.size() > 0;
    }

    /** The transfer that the peer may grant chunks of by this number; null where there is none. */
    @Nullable OutboundTransfer grantable(long id) {
        OutboundTransfer t = active.get(id);
        return t == null || t.landed || t.small ? null : t;
    }

    /** Ends what the peer reads by a key. @return the transfers concerned, those that have not ended among them */
    List<OutboundTransfer> withdraw(long keyHigh, long keyLow) {
        List<OutboundTransfer> concerned = new ArrayList<>();
        active.each(t -> {
            if (t.completion instanceof PeerAccess.Access a && a.isBy(keyHigh, keyLow)) {
                concerned.add(t);
            }
        });
        serving.each(t -> {
            if (t.completion instanceof PeerAccess.Access a && a.isBy(keyHigh, keyLow)) {
                concerned.add(t);
            }
        });
        concerned.forEach(t -> end(t, EndReason.WITHDRAWN));
        return concerned;
    }

    int unfinished() {
        return active.size() + posting.size() + serving.size();
    }

    /** Begins a send, or with {@code remote} a write. */
    OutboundTransfer begin(
            PieceMap map, @Nullable PeerPlace remote, TransferOptions options, Completion completion, long nanoTime) {
        OutboundTransfer t = new OutboundTransfer(0, map, remote, options, settings.chunkBytes(), completion);
        now = nanoTime;
        layouts.posted(remote);
        deadlines.add(t, options.deadline(), nanoTime);
        posting.post(t);
        return t;
    }

    private boolean mayGo(OutboundTransfer t) {
        byte[] notification = notification(t);
        return !settings.confirmed()
                || (control.hasRoom() && isOffered(t) && (notification == null || credit.covers(notification)));
    }

    /** Whether the peer has, or cannot have or need not have, what it needs to pull a transfer, and may be told. */
    private boolean isOffered(OutboundTransfer t) {
        PulledMemory m = memory;
        if (m != null
                && t.source == null
                && m.isOn()
                && t.ending == EndReason.NONE
                && t.length > 0
                && !along.isSooner(t)) {
            switch (PullOffer.state(t.map, m)) {
                case PulledMemory.NOT_YET -> {
                    return false;
                }
                case PulledMemory.NEVER -> expectNoPull(m);
                default -> t.source = new PeerPlace.Listed(PullOffer.of(t.map, m));
            }
        }
        return layouts.hasRoom(t.remote, t.source);
    }

    private void expectNoPull(PulledMemory m) {
        if (m.isDemanded()) {
            throw new LinkException(
                    settings.where(),
                    "memory of a transfer cannot be shared with the peer, and no other transport may be used; the log says"
                            + " which and why");
        }
    }

    private void announce(OutboundTransfer t) {
        PeerPlace to = t.remote;
        t.id = to == null ? MessageId.of(MessageId.TWO_SIDED, sends++) : MessageId.of(MessageId.WRITE, writes++);
        if (settings.confirmed()) {
            byte[] notification = notification(t);
            if (notification != null) {
                credit.spend(notification);
                control.notification(notification);
            }
            int flags = sayBytes(t);
            int number = to == null ? 0 : layouts.say(to);
            flags |= sayOffer(t);
            if (to == null) {
                control.open(announcement(t, flags));
            } else {
                Announcement a = announcement(t, flags | SaidLayouts.flag(to));
                control.write(a, SaidLayouts.region(to), SaidLayouts.offset(to), number);
            }
            t.announced = true;
            if (t.ending != EndReason.NONE) {
                control.cancel(t.id, t.ending);
            }
        }
        start(t);
    }

    /** Sends the bytes along, where they are few. @return the flag that says so */
    private int sayBytes(OutboundTransfer t) {
        if (t.source != null || t.ending != EndReason.NONE || !along.mayGo(t, now)) {
            return 0;
        }
        along.send(t);
        return Announcement.SMALL;
    }

    /** Says where its bytes lie, as the last before its announcement. @return the flag that says so */
    private int sayOffer(OutboundTransfer t) {
        if (t.source == null) {
            return 0;
        }
        layouts.say(t.source);
        return Announcement.PULLED;
    }

    /** What is announced with it; null for nothing. */
    private static byte @Nullable [] notification(OutboundTransfer t) {
        return t.ending == EndReason.NONE ? t.options.notification() : null;
    }

    private static Announcement announcement(OutboundTransfer t, int more) {
        OptionalLong tag = t.options.tag();
        int flags =
                more | (tag.isPresent() ? Announcement.TAGGED : 0) | (notification(t) == null ? 0 : Announcement.NOTED);
        return new Announcement(t.id, t.length, t.mostChunk, t.options.priority(), flags, tag.orElse(0));
    }

    /** Ends a transfer early. What is granted is sent; the receiver says when nothing is under way any more. */
    void end(OutboundTransfer t, EndReason why) {
        if (!settings.confirmed() || t.over || t.landed || t.ending != EndReason.NONE) {
            return;
        }
        if (t.remote != null && posting.remove(t)) {
            layouts.ended(t.remote, false);
            t.failed(why.exception(settings.where(), "a write of " + t.length + " bytes", false));
            return;
        }
        t.ending = why;
        if (t.announced) {
            control.cancel(t.id, why);
        } // else it is announced all the same, and cancelled then: the n-th send is still for the n-th receive
    }

    /** The receiver has ended a transfer, by its own will or by this side's. */
    void ended(long id, EndReason why) {
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed || t.granted > 0) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer ended " + MessageId.toString(id)
                            + (t == null || t.landed ? ", which is not being sent" : " while chunks are granted"));
        }
        t.endedByPeer = t.ending == EndReason.NONE;
        t.ending = t.endedByPeer ? why : t.ending;
        t.landed = true;
        t.cut = true;
        if (MessageId.kind(id) == MessageId.READ) {
            reading--;
            drop(t);
        }
        if (t.inFlight == 0) {
            complete(t);
        }
    }

    private void drop(OutboundTransfer t) {
        byte[] notification = t.notification;
        if (notification != null) {
            notified.dropped(notification);
        }
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
    void serveRead(long id, PieceMap map, byte @Nullable [] notification, Completion completion) {
        reading++;
        OutboundTransfer t =
                new OutboundTransfer(id, map, null, TransferOptions.NONE, settings.chunkBytes(), completion);
        t.notification = notification;
        serving.post(t);
    }

    private void serve(OutboundTransfer t) {
        t.announced = true;
        control.open(announcement(t, sayBytes(t) | sayOffer(t)));
        if (t.ending != EndReason.NONE) {
            control.cancel(t.id, t.ending);
        }
        start(t);
    }

    private void start(OutboundTransfer t) {
        t.startedAt = now;
        along.begun(t);
        active.put(t);
        sender.begun(t);
        if (!settings.confirmed() && t.length == 0) {
            complete(t);
        }
    }

    void confirmed(long id) {
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed) {
            throw new ProtocolException(
                    settings.where(), "the peer confirmed " + MessageId.toString(id) + ", which is not being sent");
        }
        if (t.isPulled()) {
            countPulled(t);
        } else if (t.granted > 0 || t.given < t.length) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer confirmed " + MessageId.toString(id)
                            + " before it was sent: of its " + t.length + " bytes " + t.given
                            + " were given to a channel, "
                            + t.granted + " chunks are granted and wait");
        }
        t.landed = true;
        if (MessageId.kind(id) == MessageId.READ) {
            reading--;
            byte[] notification = t.notification;
            if (notification != null) {
                notified.notified(notification, 0, t.length);
            }
        }
        if (t.inFlight == 0) {
            complete(t);
        }
    }

    private void countPulled(OutboundTransfer t) {
        if (memory != null) {
            memory.count(true, t.length);
        }
    }

    void refused(long id, TransferRefusal why, long detail) {
        OutboundTransfer t = active.get(id);
        if (t == null || t.landed || (!t.small && t.granted + t.given > 0)) {
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
        active.remove(id);
        over(t);
        t.failed(e);
    }

    private void late(ChunkedTransfer t) {
        end((OutboundTransfer) t, EndReason.DEADLINE);
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
        over(t);
        if (t.cut) {
            t.failed(t.ending.exception(settings.where(), MessageId.toString(t.id), t.endedByPeer));
        } else {
            t.done();
        }
    }

    private void over(OutboundTransfer t) {
        layouts.ended(t.remote, true);
        layouts.ended(t.source, true);
        along.over(t);
    }

    /** The link is over: nothing is under way any more. */
    void fail(SluiceException why) {
        List<OutboundTransfer> all = new ArrayList<>();
        active.drain(all::add);
        posting.drain(all::add);
        serving.drain(all::add);
        for (OutboundTransfer t : all) {
            t.failed(why);
        }
    }
}
