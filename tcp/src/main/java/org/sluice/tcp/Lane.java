package org.sluice.tcp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.ConnectionFacts;
import org.sluice.spi.Doorbell;
import org.sluice.spi.TransportException;

/**
 * A channel's part of one connection: the ring of requests between the agent and the connection's I/O thread. The agent writes {@code
 * posted}, the thread writes {@code done}, nobody locks. Memory is taken with the first request, and as much as there are requests in
 * flight, so a channel that is never used costs next to nothing.
 */
abstract class Lane {
    /** Most requests of one lane in flight; a power of two. */
    static final int CAPACITY = 1024;

    /** In the place of how many pieces there are: the message does not come. */
    static final int VOID = -1;

    /** What a lane begins with; grows to {@link #CAPACITY} by fours. */
    private static final int FIRST_CAPACITY = 64;

    private static final VarHandle POSTED = field("posted", long.class);
    private static final VarHandle DONE = field("done", long.class);
    private static final VarHandle ATTENDED = field("attended", boolean.class);

    /** What is asked for: written by the agent, and read by the thread once {@code posted} tells of it. */
    static final class Requests {
        final long[] address;
        final int[] pieces;
        final long[] bytes;
        final long[] message;
        final long[] offset;
        private final int mask;

        Requests(int capacity) {
            address = new long[capacity];
            pieces = new int[capacity];
            bytes = new long[capacity];
            message = new long[capacity];
            offset = new long[capacity];
            mask = capacity - 1;
        }

        int slot(long n) {
            return (int) n & mask;
        }

        Requests larger(long from, long to) {
            Requests more = new Requests(address.length * 4);
            for (long n = from; n < to; n++) {
                int at = slot(n);
                more.set(n, address[at], pieces[at], bytes[at], message[at], offset[at]);
            }
            return more;
        }

        void set(long n, long at, int count, long length, long messageId, long messageOffset) {
            int slot = slot(n);
            address[slot] = at;
            pieces[slot] = count;
            bytes[slot] = length;
            message[slot] = messageId;
            offset[slot] = messageOffset;
        }
    }

    private static final Requests NONE = new Requests(1);

    private final Doorbell doorbell;
    private volatile Requests requests = NONE;
    private volatile byte[] outcome = {};
    private long posted;
    private long done;

    /** Requests whose outcome the agent has taken; its own. */
    private long tested;

    /** What the agent has been told of; the thread's own. */
    private long rung;

    /** Whether the thread looks after the lane by itself, so that it need not be told of what is posted. */
    private volatile boolean attended;

    /** The next in the thread's stack of lanes that want attention; whoever has set {@code attended} sets it. */
    private @Nullable Lane next;

    private volatile @Nullable TransportException failure;

    private static VarHandle field(String name, Class<?> type) {
        try {
            return MethodHandles.lookup().findVarHandle(Lane.class, name, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** @param attended whether the thread looks after the lane from the beginning */
    Lane(Doorbell doorbell, boolean attended) {
        this.doorbell = doorbell;
        this.attended = attended;
    }

    /** The connection that it is part of. */
    abstract Connection connection();

    /** The agent has posted something while nobody attended to the lane. On the thread. */
    abstract void attend();

    /** Gives it up. When it returns, nothing touches posted memory any more. On the agent. Idempotent. */
    abstract void close();

    // --- the agent's side
    // -----------------------------------------------------------------------------------------------

    /** @return false when the ring is full */
    final boolean post(long at, int count, long length, long messageId, long messageOffset) {
        Requests r = requests;
        if (posted - tested >= r.address.length || r == NONE) {
            if (r.address.length == CAPACITY) {
                return false;
            }
            if (r == NONE) {
                outcome = new byte[CAPACITY];
                r = new Requests(FIRST_CAPACITY);
            } else {
                r = r.larger(tested, posted);
            }
            requests = r;
        }
        r.set(posted, at, count, length, messageId, messageOffset);
        POSTED.setVolatile(this, posted + 1);
        if (!attended && attract()) {
            connection().thread().attend(this);
        }
        return true;
    }

    /** How the n-th request ended; {@link Channel#PENDING} while it has not. @throws TransportException when it never will */
    final int outcome(long n) throws TransportException {
        if (n < (long) DONE.getAcquire(this)) {
            tested = n + 1;
            return outcome[(int) n & (CAPACITY - 1)];
        }
        TransportException broken = failure;
        if (broken != null) {
            throw broken;
        }
        return Channel.PENDING;
    }

    /** Why nothing more will be done; null while that is not so. Any thread. */
    final @Nullable TransportException failure() {
        return failure;
    }

    /** Whether something is posted and not done. */
    final boolean isBusy() {
        return (long) DONE.getAcquire(this) < (long) POSTED.getAcquire(this);
    }

    /** What the kernel says of the connection. */
    final ConnectionFacts facts() {
        return connection().facts();
    }

    // --- the thread's side
    // ----------------------------------------------------------------------------------------------

    /** Whether there is a request that is not done. */
    final boolean hasRequest() {
        return done < (long) POSTED.getAcquire(this);
    }

    /** Where the requests are, the oldest that is not done at {@code slot(done())}. */
    final Requests requests() {
        return requests;
    }

    final long done() {
        return done;
    }

    final long posted() {
        return (long) POSTED.getVolatile(this);
    }

    /** The oldest request has ended. */
    final void done(int how) {
        outcome[(int) done & (CAPACITY - 1)] = (byte) how;
        DONE.setRelease(this, done + 1);
        // half of what was posted is done: the agent has the other half to bring new requests in. Until then it finds
        // what is done
        // by itself, within milliseconds
        if (done - rung >= (long) POSTED.getAcquire(this) - done) {
            rung = done;
            doorbell.ring();
        }
    }

    /**
     * The thread turns away from the lane, and is to be told of the next request.
     *
     * @return false when there is one already: the thread goes on
     */
    final boolean neglect() {
        attended = false;
        return done == (long) POSTED.getVolatile(this) || !attract();
    }

    /** @return whether the caller is the one to see to it that the thread looks after the lane */
    private boolean attract() {
        return ATTENDED.compareAndSet(this, false, true);
    }

    final @Nullable Lane next() {
        return next;
    }

    final void next(@Nullable Lane lane) {
        next = lane;
    }

    /** Nothing more will be done. Only the first reason counts. */
    final void fail(TransportException why) {
        if (failure == null) {
            failure = why;
            doorbell.ring();
        }
    }

    final void ring() {
        doorbell.ring();
    }
}
