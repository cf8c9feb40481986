package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.FrameIo;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpInfo;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Channel;
import org.sluice.spi.ConnectionFacts;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Threads;
import org.sluice.spi.TransportException;

/**
 * One connection of a channel, the I/O thread that serves it, and the ring of requests between that thread and the agent: the
 * agent writes {@code posted}, the thread writes {@code done}, nobody locks. The thread starts with the first request, so a
 * channel that is never used costs a socket and no thread.
 */
abstract class Lane {
    /** Most requests of one lane in flight; a power of two. */
    static final int CAPACITY = 1024;

    private static final VarHandle POSTED = field("posted");
    private static final VarHandle DONE = field("done");

    final TcpSocket socket;
    private final ThreadFactory threads;
    private final String description;
    private final Doorbell doorbell;
    private long @Nullable [] address;
    private int[] pieces = {};
    private long[] bytes = {};
    private long[] message = {};
    private long[] offset = {};
    private byte[] outcome = {};
    private long posted;
    private long done;
    /** What the agent has been told of; the thread's own. */
    private long rung;

    private volatile boolean waiting;
    private volatile boolean closing;
    private volatile @Nullable TransportException failure;
    private @Nullable Thread thread;

    private static VarHandle field(String name) {
        try {
            return MethodHandles.lookup().findVarHandle(Lane.class, name, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    Lane(TcpSocket socket, ThreadFactory threads, String description, Doorbell doorbell) {
        this.socket = socket;
        this.threads = threads;
        this.description = description;
        this.doorbell = doorbell;
    }

    /**
     * Serves one request to its end.
     *
     * @param address of the memory, or where {@code pieces} is not 0, of the list of so many pieces of it
     * @return {@link Channel#DONE} or {@link Channel#DAMAGED}
     */
    abstract int serve(FrameIo io, MemorySegment head, long address, int pieces, long bytes, long message, long offset)
            throws IOException;

    /** The thread has left, or there never was one. */
    abstract void ended();

    /** Whether closing may let the kernel deliver what is still under way. */
    abstract boolean deliversOnClose();

    // --- the agent's side
    // -----------------------------------------------------------------------------------------------

    /** @return false when the ring is full */
    final boolean post(long at, int count, long length, long messageId, long messageOffset) throws TransportException {
        long[] addresses = address;
        if (addresses == null) {
            addresses = start();
        }
        if (posted - (long) DONE.getAcquire(this) == CAPACITY) {
            return false;
        }
        int slot = (int) posted & (CAPACITY - 1);
        addresses[slot] = at;
        pieces[slot] = count;
        bytes[slot] = length;
        message[slot] = messageId;
        offset[slot] = messageOffset;
        POSTED.setVolatile(this, posted + 1);
        if (waiting) {
            LockSupport.unpark(thread);
        }
        return true;
    }

    private long[] start() throws TransportException {
        try {
            socket.block();
        } catch (LinuxException e) {
            throw new TransportException(description + ": " + e.getMessage(), e);
        }
        long[] addresses = new long[CAPACITY];
        address = addresses;
        pieces = new int[CAPACITY];
        bytes = new long[CAPACITY];
        message = new long[CAPACITY];
        offset = new long[CAPACITY];
        outcome = new byte[CAPACITY];
        Thread serving = threads.newThread(() -> run(addresses));
        thread = serving;
        Threads.start(
                serving); // it throws to the agent where the machine gives none, and the link fails with the remedy
        return addresses;
    }

    /** How the n-th request ended; {@link Channel#PENDING} while it has not. @throws TransportException when it never will */
    final int outcome(long n) throws TransportException {
        if (n < (long) DONE.getAcquire(this)) {
            return outcome[(int) n & (CAPACITY - 1)];
        }
        TransportException broken = failure;
        if (broken != null) {
            throw broken;
        }
        return Channel.PENDING;
    }

    /** What the kernel says of the connection; nothing where it says nothing. */
    final ConnectionFacts facts() {
        try {
            return KernelFacts.of(description, TcpInfo.of(socket.fd()));
        } catch (LinuxException e) {
            return new ConnectionFacts(description, Map.of());
        }
    }

    /** When it returns, the thread is gone and nothing touches posted memory any more. Idempotent. */
    final void close() {
        if (closing) {
            return;
        }
        closing = true;
        try {
            if (!deliversOnClose() || (long) DONE.getAcquire(this) < posted) {
                socket.discardOnClose();
            }
        } catch (LinuxException e) {
            // a connection that is broken already has nothing to discard
        }
        socket.shutdown();
        Thread t = thread;
        boolean interrupted = false;
        while (t != null && t.isAlive()) {
            LockSupport.unpark(t);
            try {
                t.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        socket.close();
        ended();
    }

    // --- the thread's side
    // ----------------------------------------------------------------------------------------------

    private void run(long[] addresses) {
        try (Arena arena = Arena.ofConfined()) {
            FrameIo io = new FrameIo(socket, arena);
            MemorySegment head = arena.allocate(FrameHead.BYTES, 8);
            while (awaitRequest()) {
                int slot = (int) done & (CAPACITY - 1);
                outcome[slot] =
                        (byte) serve(io, head, addresses[slot], pieces[slot], bytes[slot], message[slot], offset[slot]);
                DONE.setRelease(this, done + 1);
                // half of what was posted is done: the agent has the other half to bring new requests in. Until then it
                // finds what is done by itself, within milliseconds
                if (done - rung >= (long) POSTED.getAcquire(this) - done) {
                    rung = done;
                    doorbell.ring();
                }
            }
        } catch (IOException e) {
            fail(e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            fail("internal error: " + e, e);
        }
    }

    private boolean awaitRequest() {
        while (!closing) {
            if ((long) POSTED.getAcquire(this) > done) {
                return true;
            }
            waiting = true;
            if ((long) POSTED.getVolatile(this) == done && !closing) {
                LockSupport.park(this);
            }
            waiting = false;
        }
        return false;
    }

    private void fail(@Nullable String why, Throwable cause) {
        if (!closing) {
            failure = new TransportException(String.valueOf(why), cause);
            doorbell.ring();
        }
    }
}
