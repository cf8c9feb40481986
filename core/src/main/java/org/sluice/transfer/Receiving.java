package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LengthMismatchException;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;

/**
 * The transfers that a link receives: brings the peer's sends and this side's receives together, asks for reads, serves writes, and ends
 * each, by its last byte or early. Which channel brings what is not its business.
 */
final class Receiving {
    /** Has the chunks of transfers brought. */
    interface Dealer {
        void add(InboundTransfer transfer);

        /** It is to have no more chunks. */
        void remove(InboundTransfer transfer);

        /** Gives up the channels that owe chunks of it. */
        void collect(InboundTransfer transfer);
    }

    /** How long a sender may take to send, or to void, what has been granted of a transfer that is to end. */
    static final Duration DEBT = Duration.ofSeconds(10);

    private final EngineSettings settings;
    private final LinkControl control;
    private final Dealer dealer;
    private final SaidLayouts layouts;
    private final TransferTable<InboundTransfer> active = new TransferTable<>();
    private final Matching matching = new Matching(this::met, this::missed);
    private final ReadRequests requests;
    private final NotificationListener notified;
    private final Deadlines deadlines = new Deadlines();
    private final Consumer<ChunkedTransfer> late = this::late;
    private final SmallBytes small;
    private final PeersTransfers begun;
    private long receiveCount;
    private long now;

    Receiving(LinkParts parts, Dealer dealer) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.layouts = parts.layouts();
        this.requests = new ReadRequests(parts);
        this.notified = parts.notified();
        this.small = parts.small();
        this.begun = new PeersTransfers(settings.where());
        this.dealer = dealer;
    }

    /** Begins what waited, and ends what is late. @return how much was done */
    int doWork(long nanoTime) {
        now = nanoTime;
        deadlines.passed(now, late);
        return requests.doWork();
    }

    /** When a transfer is to end, or what is owed to come, at the latest; {@code otherwise} where none has to. */
    long nextDeadline(long otherwise) {
        return deadlines.next(otherwise);
    }

    /** Whether the peer is to bring or to answer something. */
    boolean isUnderWay() {
        return requests.size() + active.size() > 0;
    }

    /** Whether chunks are to come. */
    boolean isActive() {
        return active.size() > 0;
    }

    /** A chunk has landed. */
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

    /** A chunk was granted and will not come. Where its transfer is not to end yet, that word is still on its way. */
    void voided(InboundTransfer t) {
        t.inFlight--;
        if (t.ending != EndReason.NONE) {
            settle(t);
        } else {
            deadlines.add(t, DEBT, now);
        }
    }

    /** A chunk will not land where it was granted. @return whether it is still wanted */
    boolean lost(InboundTransfer t) {
        t.inFlight--;
        if (t.ending != EndReason.NONE) {
            settle(t);
            return false;
        }
        return true;
    }

    /** Ends what the peer writes by a key. @return the transfers concerned, those that have not ended among them */
    List<InboundTransfer> withdraw(long keyHigh, long keyLow) {
        List<InboundTransfer> concerned = new ArrayList<>();
        active.each(t -> {
            if (t.completion instanceof PeerAccess.Access a && a.isBy(keyHigh, keyLow)) {
                concerned.add(t);
            }
        });
        concerned.forEach(t -> end(t, EndReason.WITHDRAWN));
        return concerned;
    }

    int unfinished() {
        return matching.receives() + requests.size() + active.size();
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

    void announced(
            Announcement a,
            byte @Nullable [] notification,
            @Nullable MemorySegment bytes,
            @Nullable PullSource source,
            long nanoTime) {
        now = nanoTime;
        InboundTransfer asked = requests.accepted(a);
        if (asked != null) {
            asked.source = source;
            asked.priority = asked.options.priority();
            if (asked.ending != EndReason.NONE) {
                endNow(asked);
            } else {
                start(asked, a.mostChunk(), bytes);
            }
            return;
        }
        begun.send(a, bytes);
        matching.announced(new Announced(a, notification, bytes, source));
    }

    private void met(InboundTransfer t, Announced send) {
        Announcement a = send.announcement;
        t.id = a.id();
        t.notification = send.notification;
        t.source = send.source;
        begun.met(send.bytes);
        if (t.over) {
            begun.sendIsOver();
            t.letGo();
            drop(t);
            control.ended(t.id, t.ending);
        } else if (a.length() != t.length) {
            mismatch(t, a.length());
        } else {
            t.priority = a.priority();
            start(t, a.mostChunk(), send.bytes);
        }
    }

    /** Its send was cancelled, which was answered then. */
    private void missed(InboundTransfer t, EndReason why) {
        t.ending = why;
        t.endedByPeer = true;
        t.failed(why.exception(settings.where(), "the send for a receive of " + t.length + " bytes", true));
    }

    private void mismatch(InboundTransfer t, long sendLength) {
        SluiceException e = new LengthMismatchException(
                settings.where(),
                MessageId.toString(t.id)
                        + ": the peer sends " + sendLength + " bytes, this side's receive is of " + t.length
                        + "; give both sides the same length");
        begun.sendIsOver();
        t.letGo();
        drop(t);
        control.refused(t.id, TransferRefusal.LENGTH, t.length);
        t.failed(e);
    }

    /** @param bytes all of them, where they came with the announcement; null for none */
    private void start(InboundTransfer t, long mostChunk, @Nullable MemorySegment bytes) {
        if (bytes == null) {
            start(t, mostChunk);
        } else {
            t.startedAt = now;
            small.put(t.map, bytes);
            finish(t);
        }
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
        if (requests.takeBack(t)) {
            t.ending = why;
            layouts.ended(t.remote, false);
            t.failed(why.exception(settings.where(), "a transfer of " + t.length + " bytes", false));
        } else if (t.unmatched) {
            // it stays where it is: the n-th send, of its tag or without, is still for the n-th receive, and is told
            t.ending = why;
            t.failed(why.exception(settings.where(), "a receive of " + t.length + " bytes", false));
        } else if (requests.isAsked(t)) {
            t.ending = why; // the owner's answer, whatever it is, ends it
        } else if (active.get(t.id) == t) {
            stop(t, why);
        }
    }

    private void stop(InboundTransfer t, EndReason why) {
        t.ending = why;
        dealer.remove(t);
        if (t.inFlight == 0) {
            active.remove(t.id);
            endNow(t);
        } else {
            t.owedUntil = now + DEBT.toNanos();
            deadlines.add(t, DEBT, now);
        }
    }

    /** Nothing of it is under way, and it is in no table. */
    private void endNow(InboundTransfer t) {
        begun.isOver(t.id);
        layouts.ended(t.remote, true);
        t.letGo();
        drop(t);
        control.ended(t.id, t.ending);
        t.failed(t.ending.exception(settings.where(), MessageId.toString(t.id), t.endedByPeer));
    }

    /** The sender wants a transfer to end; it may have ended meanwhile. */
    void cancelled(long id, EndReason why) {
        InboundTransfer t = active.get(id);
        Announced waiting = t == null ? matching.cancel(id, why) : null;
        if (t != null) {
            if (t.ending == EndReason.NONE) {
                t.endedByPeer = true;
                stop(t, why);
            }
        } else if (waiting != null) {
            forget(waiting);
            begun.sendIsOver();
            control.ended(id, why);
        } else if (!wasSaid(id)) {
            throw new ProtocolException(
                    settings.where(), "the peer cancelled " + MessageId.toString(id) + ", which it has not begun");
        }
    }

    /** What came with a send that no receive will meet any more. */
    private void forget(Announced send) {
        if (send.source != null) {
            send.source.release();
        }
        begun.met(send.bytes);
        if (send.notification != null) {
            notified.dropped(send.notification);
        }
    }

    private boolean wasSaid(long id) {
        return MessageId.kind(id) == MessageId.READ ? MessageId.count(id) < requests.asked() : begun.has(id);
    }

    /** The peer asks to write. */
    void asked(Announcement a) {
        begun.write(a);
    }

    /** The peer writes into memory of ours; key, bounds and rights are checked. */
    void serveWrite(
            Announcement a,
            PieceMap map,
            byte @Nullable [] notification,
            @Nullable MemorySegment bytes,
            @Nullable PullSource source,
            Completion completion,
            long nanoTime) {
        now = nanoTime;
        begun.serves();
        InboundTransfer t = new InboundTransfer(a.id(), map, null, TransferOptions.NONE, completion);
        t.priority = a.priority();
        t.notification = notification;
        t.source = source;
        start(t, a.mostChunk(), bytes);
    }

    InboundTransfer read(PieceMap map, PeerPlace from, TransferOptions options, Completion completion, long nanoTime) {
        now = nanoTime;
        InboundTransfer t = new InboundTransfer(0, map, from, options, completion);
        deadlines.add(t, options.deadline(), now);
        requests.post(t);
        return t;
    }

    /** The owner of the region will not let this side read. */
    void refused(long id, TransferRefusal why) {
        InboundTransfer t = requests.refused(id);
        layouts.ended(t.remote, true);
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
        dealer.add(t);
    }

    private void late(ChunkedTransfer transfer) {
        InboundTransfer t = (InboundTransfer) transfer;
        if (t.over) {
            return;
        }
        if (t.ending == EndReason.NONE) {
            end(t, EndReason.DEADLINE);
        } else if (t.inFlight > 0 && now - t.owedUntil >= 0) { // its own deadline may pass while it ends
            dealer.collect(t);
        }
    }

    private void settle(InboundTransfer t) {
        if (t.inFlight == 0) {
            active.remove(t.id);
            endNow(t);
        }
    }

    private void finish(InboundTransfer t) {
        if (settings.confirmed()) {
            begun.isOver(t.id);
            control.landed(t.id);
        }
        layouts.ended(t.remote, true);
        t.letGo();
        byte[] notification = t.notification;
        if (notification != null) {
            notified.notified(notification, t.options.tag().orElse(0), t.length);
        }
        t.done();
    }

    /** The link is over: nothing is under way any more. */
    void fail(SluiceException why) {
        List<InboundTransfer> all = new ArrayList<>();
        matching.drain(all::add);
        active.drain(all::add);
        requests.drain(all::add);
        for (InboundTransfer t : all) {
            if (!t.over) {
                t.failed(why);
            }
        }
    }
}
