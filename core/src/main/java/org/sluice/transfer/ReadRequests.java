package org.sluice.transfer;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;

/**
 * The reads that this side asks for, until the owner of the region accepts them: nothing is posted for them before, so a refusal leaves no
 * trace.
 */
final class ReadRequests {
    private final EngineSettings settings;
    private final LinkControl control;
    private final SaidLayouts layouts;
    private final NotificationCredit credit;
    private final Posting<InboundTransfer> posting = new Posting<>(this::mayGo, this::announce);
    private final TransferTable<InboundTransfer> asked = new TransferTable<>();
    private long count;

    ReadRequests(LinkParts parts) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.layouts = parts.layouts();
        this.credit = parts.credit();
    }

    /** Asks for what waited to be asked for. @return how much was done */
    int doWork() {
        return posting.doWork();
    }

    /** Those that are not accepted. */
    int size() {
        return posting.size() + asked.size();
    }

    /** How many the peer was asked for. */
    long asked() {
        return count;
    }

    void post(InboundTransfer t) {
        layouts.posted(t.remote);
        posting.post(t);
    }

    /** Whether it had not been asked for yet, and will not be. */
    boolean takeBack(InboundTransfer t) {
        return posting.remove(t);
    }

    /** Whether the peer's answer is awaited. */
    boolean isAsked(InboundTransfer t) {
        return asked.get(t.id) == t;
    }

    /** The owner announces what was asked for. @return the read; null where the announcement is none that fits */
    @Nullable InboundTransfer accepted(Announcement a) {
        InboundTransfer t = asked.get(a.id());
        if (t == null || t.length != a.length() || a.mostChunk() <= 0) {
            return null;
        }
        asked.remove(a.id());
        return t;
    }

    /** The owner will not let this side read. */
    InboundTransfer refused(long id) {
        InboundTransfer t = asked.get(id);
        if (t == null) {
            throw new ProtocolException(
                    settings.where(), "the peer refused " + MessageId.toString(id) + ", which is not being read");
        }
        asked.remove(id);
        return t;
    }

    void drain(Consumer<? super InboundTransfer> to) {
        asked.drain(to);
        posting.drain(to);
    }

    private boolean mayGo(InboundTransfer t) {
        byte[] notification = t.options.notification();
        return control.hasRoom() && layouts.hasRoom(t.remote) && (notification == null || credit.covers(notification));
    }

    private void announce(InboundTransfer t) {
        PeerPlace from = t.remote;
        if (from == null) {
            throw new IllegalStateException("a read from nowhere");
        }
        t.id = MessageId.of(MessageId.READ, count++);
        byte[] notification = t.options.notification();
        if (notification != null) {
            credit.spend(notification);
            control.notification(notification);
        }
        int number = layouts.say(from);
        control.read(
                announcement(t, SaidLayouts.flag(from)), SaidLayouts.region(from), SaidLayouts.offset(from), number);
        asked.put(t);
    }

    private Announcement announcement(InboundTransfer t, int more) {
        int flags = more | (t.options.notification() == null ? 0 : Announcement.NOTED);
        return new Announcement(t.id, t.length, settings.chunkBytes(), t.options.priority(), flags, 0);
    }
}
