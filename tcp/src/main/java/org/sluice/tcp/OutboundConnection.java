package org.sluice.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.Epoll;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.TransportException;

/**
 * The sending end of a connection. One writer at a time: channels with posted work take turns, by bytes, and between two chunks go the
 * small frames that open and close channels. The peer's replies are read here too.
 */
final class OutboundConnection extends Connection {
    /** Who knows of the connection and lends it to channels. Any thread. */
    interface Home {
        /** A channel has left it. */
        void left(OutboundConnection connection);

        /** Nobody may be lent it any more. */
        void ended(OutboundConnection connection);

        /** As {@link #ended}, unless somebody has it. @return whether it is to end */
        boolean retire(OutboundConnection connection);
    }

    /** How long one is kept that no channel uses: links between two nodes often come one after the other. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A peer that takes no byte for so long in the middle of a frame will not go on. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Bytes of a channel before the next one has its turn, and of a connection before the next one has. */
    private static final long TURN_BYTES = 512 << 10;

    private static final int MOST_LANES = 1 << 16;

    private final Home home;
    private final boolean alone;
    private final InetSocketAddress peer;
    private final Drill.@Nullable Lot lot;
    private final List<@Nullable SendLane> lanes = new ArrayList<>();
    private final ArrayDeque<SendLane> active = new ArrayDeque<>();
    private final ArrayDeque<byte[]> outbox = new ArrayDeque<>();
    private final OutgoingFrame frame = new OutgoingFrame();
    private final byte[] reply = new byte[Reply.BYTES];
    private int replied;
    private int outboxSent;
    private int users;
    private int opens;
    private boolean connected;
    private boolean readable;
    private boolean writable = true;
    private long movedAt = System.nanoTime();
    private long idleSince = movedAt;
    private long heldUntil = Long.MIN_VALUE;
    private @Nullable TransportException why;

    /**
     * @param socket connecting
     * @param token lets it in at the peer
     * @param alone whether it serves one channel, whose receives may come later than its sends, and ends with it
     */
    OutboundConnection(
            TcpSocket socket,
            InetSocketAddress peer,
            IoThread thread,
            String description,
            byte[] token,
            boolean alone,
            Drill drill,
            Home home) {
        super(socket, thread, description);
        this.peer = peer;
        this.alone = alone;
        this.home = home;
        this.lot = drill.chunks().isEmpty() ? null : drill.new Lot();
        outbox.add(Greeting.encode(token, Greeting.DATA));
    }

    Home home() {
        return home;
    }

    /** Takes in a channel. @param which of the channel's connections this is */
    void attach(SendLane lane, byte[] token, int which) {
        TransportException ended = why;
        if (ended != null) {
            lane.fail(ended);
            return;
        }
        int slot = lanes.indexOf(null);
        if (slot < 0) {
            slot = lanes.size();
            lanes.add(lane);
        } else {
            lanes.set(slot, lane);
        }
        if (slot >= MOST_LANES) {
            lane.fail(new TransportException(description() + ": has no room for another channel"));
            return;
        }
        users++;
        lane.number(slot | (opens++ << 16));
        say(FrameHead.OPEN, lane.number(), which, alone ? 1 : 0, token);
    }

    private void say(int kind, int channel, long message, long offset, byte[] payload) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(FrameHead.BYTES + payload.length, 8);
            FrameHead.write(bytes, kind, 0, channel, message, offset, payload.length, 0);
            MemorySegment.copy(payload, 0, bytes, ValueLayout.JAVA_BYTE, FrameHead.BYTES, payload.length);
            outbox.add(bytes.toArray(ValueLayout.JAVA_BYTE));
        }
        thread().enqueue(this);
    }

    /** A channel has something to send. */
    void activate(SendLane lane) {
        if (isHere(lane)) {
            active.add(lane);
            thread().enqueue(this);
        }
    }

    private boolean isHere(SendLane lane) {
        int slot = lane.number() & 0xffff;
        return slot < lanes.size() && lane.equals(lanes.get(slot));
    }

    /** A channel leaves. When this returns its memory is read no more. */
    void detach(SendLane lane) {
        if (isEnded() || !isHere(lane)) {
            return;
        }
        boolean busy = lane.isBusy();
        active.remove(lane);
        lanes.set(lane.number() & 0xffff, null);
        users--;
        idleSince = System.nanoTime();
        if (frame.isOf(lane)) {
            if (!frame.hasBegun()) {
                frame.drop();
            } else if (alone || !frame.keepRest()) {
                leave("a channel was closed in the middle of a chunk", true);
                return;
            }
        }
        if (alone || isDead()) {
            leave(alone ? "closed" : "the peer's kernel does not answer any more", busy);
        } else if (!connected && users == 0) {
            leave("nobody waits for it", true);
        } else {
            say(FrameHead.CLOSE, lane.number(), 0, 0, new byte[0]);
        }
    }

    /** What the kernel sent has had no answer: a channel that comes back shall not wait for it. */
    private boolean isDead() {
        try {
            return connected && unanswered() > 0;
        } catch (LinuxException e) {
            return true;
        }
    }

    /** @param discard whether what the kernel has not delivered yet shall not be */
    private void leave(String reason, boolean discard) {
        try {
            if (discard) {
                socket().options().discardOnClose();
            }
        } catch (LinuxException e) {
            // a connection that is broken already has nothing to discard
        }
        thread().end(this, new TransportException(description() + ": " + reason));
    }

    @Override
    int interest() {
        return Epoll.IN | Epoll.OUT | Epoll.EDGE;
    }

    @Override
    void ready(int events) {
        writable |= (events & ~Epoll.IN) != 0;
        readable |= (events & ~Epoll.OUT) != 0;
    }

    @Override
    boolean turn(IoThread.Tools tools) throws IOException {
        if (!connected) {
            if (!socket().finishConnect(peer)) {
                return false;
            }
            connected = true;
            writable = true;
            socket().options().mayWait(WAIT_MILLIS);
        }
        if (readable) {
            readable = false;
            readReplies();
        }
        for (long budget = TURN_BYTES; budget > 0; ) {
            if (!writable || heldUntil != Long.MIN_VALUE) {
                return false;
            }
            if (!frame.isEmpty()) {
                budget -= sendOn(tools);
            } else if (!outbox.isEmpty()) {
                flush();
            } else if (!beginNext()) {
                return false;
            }
        }
        return true;
    }

    private long sendOn(IoThread.Tools tools) throws IOException {
        long before = frame.sent();
        writable = frame.send(tools.io(), socket(), waits());
        long n = frame.sent() - before;
        if (n > 0) {
            movedAt = System.nanoTime();
        }
        if (frame.isHalfWay()) {
            halfWay();
        } else {
            boolean ignored = frame.isDone();
        }
        return n;
    }

    private void halfWay() throws IOException {
        if (lot != null && lot.resets()) {
            throw new IOException("reset by the drill");
        }
        heldUntil = System.nanoTime() + Drill.STALL_NANOS;
        thread().lookSoon();
    }

    private void flush() throws IOException {
        byte[] first = outbox.element();
        int n = socket().sendNow(first, outboxSent, first.length - outboxSent);
        outboxSent += n;
        if (outboxSent == first.length) {
            outboxSent = 0;
            outbox.remove();
        } else {
            writable = false;
        }
    }

    /** The next chunk of the channel whose turn it is. @return false when there is none */
    private boolean beginNext() throws IOException {
        while (true) {
            SendLane lane = active.peek();
            if (lane == null) {
                return false;
            }
            if (!lane.hasRequest()) {
                if (lane.neglect()) {
                    active.remove();
                }
            } else if (!lane.mayGoOn()) {
                lane.grant(TURN_BYTES);
                active.add(active.remove());
            } else {
                begin(lane);
                return true;
            }
        }
    }

    private void begin(SendLane lane) throws IOException {
        boolean drilled = lot != null;
        frame.begin(lane, lane.number(), drilled, drilled && lot.damages());
        lane.spend(frame.length());
        if (drilled && lot.stops()) {
            frame.stopHalfWay();
        }
    }

    private void readReplies() throws IOException {
        while (true) {
            int n = socket().receiveNow(reply, replied);
            if (n < 0) {
                throw new EOFException("the peer closed the connection");
            }
            if (n == 0) {
                return;
            }
            replied += n;
            if (replied == Reply.BYTES) {
                replied = 0;
                take(Reply.decode(reply));
            }
        }
    }

    private void take(Reply said) {
        int slot = said.channel() & 0xffff;
        SendLane lane = slot < lanes.size() ? lanes.get(slot) : null;
        if (lane == null || lane.number() != said.channel()) {
            return; // it has left meanwhile
        }
        if (said.kind() == Reply.OPENED) {
            lane.opened();
        } else {
            active.remove(lane);
            if (frame.isOf(lane) && !frame.hasBegun()) {
                frame.drop();
            }
            lane.fail(new TransportException(description() + ": the peer closed the channel"));
        }
    }

    @Override
    void look(long now) throws IOException {
        if (heldUntil != Long.MIN_VALUE) {
            if (now - heldUntil < 0) {
                thread().lookSoon();
                return;
            }
            heldUntil = Long.MIN_VALUE;
            frame.goOn();
            thread().enqueue(this);
        } else if (!alone && !frame.isEmpty() && now - movedAt > STUCK_NANOS) {
            throw new IOException("the peer has taken no byte for " + TimeUnit.NANOSECONDS.toSeconds(STUCK_NANOS)
                    + " s in the middle of a chunk");
        } else if (users == 0 && now - idleSince > GRACE_NANOS && home.retire(this)) {
            leave("not used any more", false);
        }
    }

    @Override
    void ended(TransportException reason) {
        why = reason;
        home.ended(this);
        frame.close();
        active.clear();
        for (SendLane lane : lanes) {
            if (lane != null) {
                lane.fail(reason);
            }
        }
    }
}
