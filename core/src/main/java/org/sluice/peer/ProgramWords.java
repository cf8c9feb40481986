package org.sluice.peer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.transfer.CreditAccount;
import org.sluice.transfer.CreditGiver;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.CreditKind;

/**
 * What the programs of both sides tell each other on a link besides transfers: notes, and regions under names. Credit bounds what can
 * lie at a side whose program does not read, so what cannot be said yet waits here, in order, and its future tells. Belongs to the
 * agent, but for {@link #noteTaken}.
 */
final class ProgramWords {
    /** Notes that may lie unread at a side, and their bytes. */
    static final int MOST_NOTES = 1024;

    static final int MOST_NOTE_BYTES = 1 << 20;

    /** Regions that a side may have under names at once, and their names' bytes. */
    static final int MOST_REGIONS = 1024;

    static final int MOST_NAME_BYTES = 1 << 20;

    /** What may wait here for credit: a program that says more without a look at the futures is told no. */
    static final int MOST_WAITING = 1024;

    static final int MOST_WAITING_BYTES = 4 << 20;

    private final ControlConnection control;
    private final LinkRegions regions;
    private final LinkEvents events;
    private final Where where;
    private final CreditAccount notes;
    private final CreditAccount names;
    private final CreditGiver peersNotes;
    private final CreditGiver peersNames;
    /** The peer's names, with their length on the wire. */
    private final Map<String, Integer> peersShared = new HashMap<>();

    private final Map<String, RemoteRegion> shared = new HashMap<>();
    private final Queue<Word> waiting = new ArrayDeque<>();
    private int waitingBytes;

    /** Something to say; what has no region is a note, and what withdraws a name has neither. */
    private sealed interface Word {
        CompletableFuture<Void> said();

        int bytes();

        record Note(byte[] note, CompletableFuture<Void> said) implements Word {
            @Override
            public int bytes() {
                return note.length;
            }
        }

        record Share(String name, RemoteRegion region, CompletableFuture<Void> said) implements Word {
            @Override
            public int bytes() {
                return length(name);
            }
        }

        record Withdraw(String name, CompletableFuture<Void> said) implements Word {
            @Override
            public int bytes() {
                return length(name);
            }
        }
    }

    ProgramWords(ControlConnection control, LinkRegions regions, LinkEvents events, Where where) {
        this.control = control;
        this.regions = regions;
        this.events = events;
        this.where = where;
        this.notes = new CreditAccount(where);
        this.names = new CreditAccount(where);
        this.peersNotes = new CreditGiver(where, "notes", MOST_NOTES, MOST_NOTE_BYTES);
        this.peersNames = new CreditGiver(where, "regions", MOST_REGIONS, MOST_NAME_BYTES);
        tell(CreditKind.NOTES, peersNotes);
        tell(CreditKind.REGIONS, peersNames);
    }

    private static int length(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length;
    }

    private void tell(CreditKind kind, CreditGiver giver) {
        control.credit(kind, giver.tellCount(), giver.tellBytes());
    }

    // --- this side's program

    CompletableFuture<Void> note(byte[] note) {
        return say(new Word.Note(note, new CompletableFuture<>()));
    }

    CompletableFuture<Void> share(String name, RemoteRegion region) {
        return say(new Word.Share(name, region, new CompletableFuture<>()));
    }

    CompletableFuture<Void> withdraw(String name) {
        return say(new Word.Withdraw(name, new CompletableFuture<>()));
    }

    private CompletableFuture<Void> say(Word word) {
        if (waiting.isEmpty() && said(word)) {
            return word.said();
        }
        if (waiting.size() == MOST_WAITING || waitingBytes + word.bytes() > MOST_WAITING_BYTES) {
            word.said()
                    .completeExceptionally(new LinkException(
                            ErrorCode.LIMIT,
                            where,
                            waiting.size() + " notes and regions (" + waitingBytes
                                    + " bytes) wait for the peer's program to read, more are not taken; wait for the"
                                    + " futures of some"));
            return word.said();
        }
        waitingBytes += word.bytes();
        waiting.add(word);
        return word.said();
    }

    /** Says it, or says that it will not be said. @return false when it has to wait for credit */
    private boolean said(Word word) {
        switch (word) {
            case Word.Note n -> {
                if (!notes.take(n.note.length)) {
                    return false;
                }
                control.note(n.note);
            }
            case Word.Share s -> {
                if (!names.isOpen()) {
                    return false; // the peer's first word of credit is on its way
                }
                if (!names.take(s.bytes())) {
                    // it comes back when names are withdrawn, which may be never
                    s.said.completeExceptionally(new LinkException(
                            ErrorCode.LIMIT,
                            where,
                            "region '" + s.name + "' cannot be shared: " + shared.size()
                                    + " are shared already; withdraw some"));
                    return true;
                }
                shared.put(s.name, s.region);
                regions.allow(s.region);
                control.region(s.name, s.region.keyHigh(), s.region.keyLow(), s.region.size());
            }
            case Word.Withdraw w -> {
                RemoteRegion region = shared.remove(w.name);
                if (region == null) {
                    w.said.completeExceptionally(
                            new IllegalArgumentException(where + ": no region is shared as '" + w.name + "'"));
                    return true;
                }
                if (!shared.containsValue(region)) {
                    regions.withdraw(region);
                }
                control.withdraw(w.name);
            }
        }
        word.said().complete(null);
        return true;
    }

    // --- the peer's

    void onCredit(CreditKind kind, long totalCount, long totalBytes) {
        (kind == CreditKind.NOTES ? notes : names).raise(totalCount, totalBytes);
        for (Word w = waiting.peek(); w != null && said(w); w = waiting.peek()) {
            waiting.remove();
            waitingBytes -= w.bytes();
        }
    }

    void onNote(byte[] note) {
        peersNotes.came(note.length);
        events.note(note);
    }

    /** The program has one of the peer's notes. Any thread. @return whether {@link #tellNotes} is due */
    boolean noteTaken(int bytes) {
        return peersNotes.done(bytes);
    }

    void tellNotes() {
        tell(CreditKind.NOTES, peersNotes);
    }

    void onRegion(String name, RemoteRegion region) {
        int bytes = length(name);
        peersNames.came(bytes);
        Integer before = peersShared.put(name, bytes);
        if (before != null) {
            gone(before); // it stands for another region now
        }
        events.region(name, region);
    }

    void onWithdraw(String name) {
        Integer bytes = peersShared.remove(name);
        if (bytes == null) {
            throw new ProtocolException(where, "the peer withdrew region '" + name + "', which it does not share");
        }
        gone(bytes);
        events.withdrawn(name);
    }

    private void gone(int bytes) {
        if (peersNames.done(bytes)) {
            tell(CreditKind.REGIONS, peersNames);
        }
    }

    /** The link is over: what waits will not be said. */
    void end(SluiceException why) {
        for (Word w = waiting.poll(); w != null; w = waiting.poll()) {
            w.said().completeExceptionally(why);
        }
    }

    /** Why nothing can be said on a link without a control connection. */
    static CompletableFuture<Void> impossible(Where where) {
        return CompletableFuture.failedFuture(new LinkException(
                ErrorCode.LINK,
                where,
                "the uccl bootstrap knows neither notes nor shared regions; link with --bootstrap sluice"));
    }
}
