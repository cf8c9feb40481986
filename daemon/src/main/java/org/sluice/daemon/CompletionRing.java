package org.sluice.daemon;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;

/**
 * What a client is told: ends of requests, notifications, ends of links. There is always room for the ends of requests, because no
 * more are taken than fit; notifications wait up to a bound, then are counted as lost. Any thread; never blocks.
 */
final class CompletionRing {
    private static final int MOST_ERROR_TEXT = 512;

    private record Waiting(int kind, long number, byte[] text, Key from) {}

    private final Area area;
    private final Runnable bell;
    private final long noteBytes;
    private final int entries;
    private final int half;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment entry = arena.allocate(Protocol.COMPLETION_BYTES, 64);
    /** Of each entry: where its text ended, among all text so far, and whether it tells a request's end. */
    private final long[] textEnds;

    private final boolean[] ends;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private long lost;
    private long head;
    private long tail;
    private long endsRead;
    private long othersUnread;
    private long textHead;
    private long textTail;
    private boolean broken;
    private boolean closed;

    /** @param bell wakes the client; must not wait */
    CompletionRing(Area area, Runnable bell, long noteBytes) {
        this.area = area;
        this.bell = bell;
        this.noteBytes = noteBytes;
        this.half = area.entries();
        this.entries = 2 * half;
        this.textEnds = new long[entries];
        this.ends = new boolean[entries];
    }

    /** Tells the end of a request. @param why empty when it is done */
    synchronized void ended(long number, Status status, long bytes, String why) {
        if (closed || broken) {
            return;
        }
        look();
        byte[] text = why.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, MOST_ERROR_TEXT);
        long at = length == 0 ? -1 : textSpace(length);
        put(Protocol.ENDED, number, status, bytes, text, at < 0 ? 0 : length, at, new Key(0, 0));
        publish();
    }

    /** Brings a notification. @return false when the client has too many unread: it is lost, and the client will be told */
    synchronized boolean note(byte[] text, Key from) {
        return other(new Waiting(Protocol.NOTE, 0, text, from));
    }

    /** Tells that a link is over. */
    synchronized void linkEnded(int link, String why) {
        other(new Waiting(Protocol.LINK_ENDED, link, why.getBytes(StandardCharsets.UTF_8), new Key(0, 0)));
    }

    private boolean other(Waiting what) {
        if (closed || broken) {
            return false;
        }
        look();
        if (!isAnyLeft() && deliver(what)) {
            publish();
            return true;
        }
        boolean keeps = waitingBytes + what.text().length + 64 <= noteBytes;
        if (keeps) {
            waiting.add(what);
            waitingBytes += what.text().length + 64;
        } else {
            lost++;
        }
        wantRoom();
        return keeps;
    }

    /** Whether there is something that the client has not been told yet. */
    private boolean isAnyLeft() {
        return !waiting.isEmpty() || lost > 0;
    }

    private boolean deliver(Waiting what) {
        if (othersUnread >= half) {
            return false;
        }
        int length = what.text().length;
        long at = textSpace(length);
        if (at < 0) {
            return false;
        }
        put(what.kind(), what.number(), Status.DONE, 0, what.text(), length, at, what.from());
        othersUnread++;
        return true;
    }

    /** Brings what waited, where the client has made room. Where something still waits, the client rings when it has made more. */
    synchronized void flush() {
        if (closed || broken || !isAnyLeft()) {
            return;
        }
        bring();
        if (isAnyLeft()) {
            wantRoom();
        }
    }

    private void wantRoom() {
        area.raise(Protocol.ROOM_WANTED);
        bring(); // room that it made before it could see that it has to ring
    }

    private void bring() {
        look();
        boolean any = false;
        while (!waiting.isEmpty() && deliver(waiting.peek())) {
            waitingBytes -= waiting.remove().text().length + 64;
            any = true;
        }
        if (waiting.isEmpty() && lost > 0 && othersUnread < half) {
            put(Protocol.NOTES_LOST, 0, Status.QUOTA, lost, new byte[0], 0, -1, new Key(0, 0));
            othersUnread++;
            lost = 0;
            any = true;
        }
        if (any) {
            publish();
        }
    }

    /** @return where the text goes among all text so far, or -1 when it does not fit now */
    private long textSpace(int length) {
        int space = area.textBytes();
        long begin = textTail;
        if (begin % space + length > space) {
            begin += space - begin % space; // not split: on to the start
        }
        if (textHead == textTail) {
            textHead = begin; // nothing is unread, what is left out before the start neither
        }
        if (begin + length - textHead > space) {
            return -1;
        }
        textTail = begin + length;
        return begin;
    }

    private void put(int kind, long number, Status status, long bytes, byte[] text, int length, long at, Key from) {
        long place = at < 0 ? 0 : area.texts() + at % area.textBytes();
        if (length > 0) {
            area.copyIn(text, place, length);
        }
        entry.set(ValueLayout.JAVA_LONG, 0, number);
        entry.set(ValueLayout.JAVA_INT, 8, kind);
        entry.set(ValueLayout.JAVA_INT, 12, status.code());
        entry.set(ValueLayout.JAVA_LONG, 16, bytes);
        entry.set(ValueLayout.JAVA_LONG, 24, place);
        entry.set(ValueLayout.JAVA_INT, 32, length);
        entry.set(ValueLayout.JAVA_LONG, 40, from.high());
        entry.set(ValueLayout.JAVA_LONG, 48, from.low());
        int slot = (int) (tail & entries - 1);
        area.copyIn(entry, area.completions() + (long) slot * Protocol.COMPLETION_BYTES, Protocol.COMPLETION_BYTES);
        textEnds[slot] = textTail;
        ends[slot] = kind == Protocol.ENDED;
        tail++;
    }

    private void publish() {
        area.longRelease(Protocol.COMPLETION_TAIL, tail);
        VarHandle.fullFence();
        if (area.intAcquire(Protocol.CLIENT_WAITS) != 0) {
            area.intRelease(Protocol.CLIENT_WAITS, 0);
            bell.run();
        }
    }

    /** Sees how far the client has read. */
    private void look() {
        long now = area.longAcquire(Protocol.COMPLETION_HEAD);
        if (now < head || now > tail) {
            broken = true;
            return;
        }
        while (head < now) {
            int slot = (int) (head & entries - 1);
            textHead = textEnds[slot];
            if (ends[slot]) {
                endsRead++;
            } else {
                othersUnread--;
            }
            head++;
        }
    }

    /** How many ends of requests the client has read. */
    synchronized long endsRead() throws Violation {
        if (!closed && !broken) {
            look();
        }
        if (broken) {
            throw new Violation("a completion head that was never there");
        }
        return endsRead;
    }

    /** From now on nobody touches the area through this. */
    synchronized void close() {
        closed = true;
        waiting.clear();
    }
}
