package org.sluice.sockets;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** The bytes of a connection in one direction. Holds no memory while nothing is under way. Any thread. */
final class OneWay {
    /** As a socket's buffers hold about so much. */
    private static final int MOST = 256 << 10;

    private static final int FIRST = 256;
    private static final byte[] NOTHING = {};

    private final LongAdder counter;
    private byte[] bytes = NOTHING;
    private int from;
    private int to;
    private boolean writerDone;
    private boolean readerGone;

    OneWay(LongAdder counter) {
        this.counter = counter;
    }

    synchronized int put(ByteBuffer source) throws IOException {
        if (readerGone || writerDone) {
            throw new IOException("Broken pipe");
        }
        int n = Math.min(source.remaining(), MOST - (to - from));
        if (bytes.length - to < n) {
            byte[] larger = new byte[Math.max(FIRST, Integer.highestOneBit(to - from + n) << 1)];
            System.arraycopy(bytes, from, larger, 0, to - from);
            bytes = larger;
            to -= from;
            from = 0;
        }
        source.get(bytes, to, n);
        to += n;
        counter.add(n);
        notifyAll();
        return n;
    }

    /** @return how many bytes; 0 while there are none, -1 at the end */
    synchronized int take(ByteBuffer into) {
        if (to == from) {
            return writerDone && into.hasRemaining() ? -1 : 0;
        }
        int n = Math.min(into.remaining(), to - from);
        into.put(bytes, from, n);
        from += n;
        if (from == to) {
            bytes = NOTHING;
            from = 0;
            to = 0;
        }
        notifyAll();
        return n;
    }

    /** Waits until {@link #take} gives something, or this end is closed. @param millis 0 for ever @return false when the time is over */
    synchronized boolean awaitBytes(int millis) throws IOException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!isReadable()) {
            long left = millis == 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime()) + 1;
            if (millis != 0 && System.nanoTime() - end >= 0) {
                return false;
            }
            rest(left);
        }
        return true;
    }

    /** Waits until {@link #put} takes something, or throws. */
    synchronized void awaitRoom() throws IOException {
        while (!isWritable()) {
            rest(0);
        }
    }

    @SuppressWarnings("WaitNotInLoop") // both callers loop
    private void rest(long millis) throws IOException {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted in a wait for a connection");
        }
    }

    synchronized boolean isReadable() {
        return to > from || writerDone || readerGone;
    }

    synchronized boolean isWritable() {
        return to - from < MOST || writerDone || readerGone;
    }

    synchronized void writerDone() {
        writerDone = true;
        notifyAll();
    }

    synchronized void readerGone() {
        readerGone = true;
        notifyAll();
    }
}
