package org.sluice.daemon;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Takes what a client has submitted: copies an entry, so that the client can change it no more, then hands it over. Serving thread only. */
final class SubmissionRing {
    /** Entries taken in one turn, so that no client keeps the thread. */
    private static final int MOST_A_TURN = 64;

    interface Handler {
        void take(MemorySegment entry) throws Violation;
    }

    private final Area area;
    private final CompletionRing completions;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment entry = arena.allocate(Protocol.SUBMISSION_BYTES, 64);
    private final int entries;
    private long head;
    private boolean sleeping;

    SubmissionRing(Area area, CompletionRing completions) {
        this.area = area;
        this.completions = completions;
        this.entries = area.entries();
    }

    /** Whether the client has published something that may be taken. */
    boolean isReady() throws Violation {
        return published() > 0 && room() > 0;
    }

    private long published() throws Violation {
        long n = area.longAcquire(Protocol.SUBMISSION_TAIL) - head;
        if (n < 0 || n > entries) {
            throw new Violation("a submission tail that cannot be");
        }
        return n;
    }

    /** How many may be taken such that the end of each can be told. */
    private long room() throws Violation {
        long room = entries - (head - completions.endsRead());
        if (room == 0) {
            area.raise(Protocol.ROOM_WANTED);
            room = entries - (head - completions.endsRead()); // read meanwhile?
        }
        return room;
    }

    /** @return how many were taken */
    int take(Handler handler) throws Violation {
        long n = published();
        if (n == 0) {
            return 0;
        }
        n = Math.min(Math.min(n, MOST_A_TURN), room());
        for (int i = 0; i < n; i++) {
            long at = Protocol.SUBMISSIONS + (head & entries - 1) * Protocol.SUBMISSION_BYTES;
            area.copyOut(at, entry, Protocol.SUBMISSION_BYTES);
            head++;
            handler.take(entry);
        }
        area.longRelease(Protocol.SUBMISSION_HEAD, head);
        return (int) n;
    }

    /** Says whether the client has to ring. */
    void sleeps(boolean sleeps) {
        if (sleeps || sleeping) {
            area.intRelease(Protocol.DAEMON_SLEEPS, sleeps ? 1 : 0);
            sleeping = sleeps;
        }
    }
}
