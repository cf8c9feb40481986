package org.sluice.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.Epoll;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.linux.VectorIo;
import org.sluice.spi.TransportException;

/**
 * The receiving end of a connection. The head of each frame names its channel, and the oldest receive that is posted there says where
 * the payload goes, never beyond. One call reads the rest of a payload and the next head. Who sends what was not asked for loses that
 * channel, and the connection goes on; who sends what is no frame loses the connection.
 */
final class InboundConnection extends Connection {
    /** A chunk is no longer. */
    private static final long MOST_PAYLOAD = 1L << 30;

    private static final int MOST_LANES = 1 << 16;
    private static final int MOST_REPLIES = 4096;

    /** Its other end closes it sooner, so that nobody opens a channel on one that is just being closed. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** A peer that sends no byte for so long in the middle of a frame will not go on. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The same once somebody has given a channel up: what is stuck in the middle of a frame is why. */
    private static final long STALLED_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** What a sender whose channel was refused may send before it hears of it. */
    private static final long UNHEARD_BYTES = 8 << 20;

    /** Bytes before another connection of the thread has its turn. */
    private static final long TURN_BYTES = 2 << 20;

    /** Waking for fewer bytes costs more than it saves. */
    private static final long LOW_WATER = 128 << 10;

    private final ReceiveConnections home;
    private final List<@Nullable ReceiveLane> lanes = new ArrayList<>();
    private final ArrayDeque<byte[]> replies = new ArrayDeque<>();
    private final IncomingPayload payload = new IncomingPayload();
    private final MemorySegment token = Arena.ofAuto().allocate(Handle.TOKEN_BYTES, 8);
    private MemorySegment head = Arena.ofAuto().allocate(FrameHead.BYTES, 8);
    private MemorySegment nextHead = Arena.ofAuto().allocate(FrameHead.BYTES, 8);
    private long headBytes;
    private int repliedBytes;
    private int users;
    private long lowWater = 1;

    /** A head has come whose channel has nothing posted, and the connection waits for that. */
    private boolean paused;

    private boolean resumed;
    private boolean broken;
    private long heardAt = System.nanoTime();

    InboundConnection(TcpSocket socket, IoThread thread, String description, ReceiveConnections home) {
        super(socket, thread, description);
        this.home = home;
    }

    @Override
    int interest() {
        return paused ? 0 : Epoll.IN;
    }

    @Override
    void ready(int events) {
        broken |= paused && (events & ~Epoll.IN) != 0;
    }

    /** The channel that the connection waits for has a receive. */
    void resume() {
        resumed = true;
        thread().enqueue(this);
    }

    @Override
    boolean turn(IoThread.Tools tools) throws IOException {
        if (resumed && paused) {
            paused = false;
            thread().interestChanged(this);
            beginData();
        }
        resumed = false;
        if (paused && broken) {
            throw new EOFException("the peer closed the connection");
        }
        flush();
        VectorIo io = tools.io();
        for (long budget = TURN_BYTES; budget > 0 && !paused; ) {
            boolean waits = waits() && payload.left() > 0;
            long asked = ask(io, tools.scratch(), !waits);
            long n = waits ? receiveAll(io) : io.receive(socket());
            if (n == VectorIo.END_OF_STREAM) {
                throw new EOFException("the peer closed the connection");
            }
            if (n > 0) {
                heardAt = System.nanoTime();
                budget -= n;
                take(n);
            }
            if (n < asked) {
                awaitBytes(io);
                return false; // epoll tells when there is more
            }
        }
        return !paused;
    }

    /** Waits for the rest of the payload, and not for the head behind it, which may be long in coming. */
    private long receiveAll(VectorIo io) throws LinuxException {
        if (lowWater > payload.left()) {
            lowWater = 1;
            io.receiveLowWater(socket(), 1);
        }
        return io.receiveAll(socket());
    }

    /** The rest of the payload, and the head behind it if wanted; or a head. @return bytes */
    private long ask(VectorIo io, MemorySegment scratch, boolean headToo) {
        io.clear();
        long left = payload.left();
        if (left == 0) {
            io.add(head.address() + headBytes, FrameHead.BYTES - headBytes);
            return FrameHead.BYTES - headBytes;
        }
        long asked = payload.addTo(io, scratch);
        if (asked < left || !headToo) {
            return asked;
        }
        io.add(nextHead.address(), FrameHead.BYTES);
        return asked + FrameHead.BYTES;
    }

    private void take(long n) throws IOException {
        long rest = n;
        if (payload.left() > 0) {
            long ofPayload = Math.min(n, payload.left());
            payload.took(ofPayload);
            if (payload.left() > 0) {
                return;
            }
            finish();
            rest -= ofPayload;
            if (rest == 0) {
                return;
            }
            MemorySegment spare = head;
            head = nextHead;
            nextHead = spare;
        }
        headBytes += rest;
        if (headBytes == FrameHead.BYTES) {
            headBytes = 0;
            begin();
        }
    }

    /** The kernel is to wake the thread when it is worth it: never for less than what comes surely. */
    private void awaitBytes(VectorIo io) {
        long most = waits() ? FrameHead.BYTES : LOW_WATER;
        long wanted = payload.left() == 0 ? FrameHead.BYTES - headBytes : Math.min(payload.left(), most);
        if (wanted != lowWater) {
            lowWater = wanted;
            io.receiveLowWater(socket(), (int) wanted);
        }
    }

    // --- frames
    // ---------------------------------------------------------------------------------------------------------

    private void begin() throws IOException {
        if (!FrameHead.isFrame(head)) {
            throw new FrameException("the peer sent " + FrameHead.text(head) + " where a frame was awaited");
        }
        switch (FrameHead.kind(head)) {
            case FrameHead.OPEN -> {
                if (FrameHead.length(head) != Handle.TOKEN_BYTES) {
                    throw new FrameException("the peer opens a channel with " + FrameHead.text(head));
                }
                payload.begin(token.address(), Handle.TOKEN_BYTES);
            }
            case FrameHead.CLOSE -> {
                if (FrameHead.length(head) != 0) {
                    throw new FrameException("the peer closes a channel with " + FrameHead.text(head));
                }
                closed(FrameHead.channel(head));
            }
            default -> beginData();
        }
    }

    private void beginData() throws IOException {
        long length = FrameHead.length(head);
        ReceiveLane lane = lane(FrameHead.channel(head));
        if (lane == null || length < 1 || length > MOST_PAYLOAD) {
            throw new FrameException("the peer sent " + FrameHead.text(head) + " on channel "
                    + Integer.toHexString(FrameHead.channel(head))
                    + (lane == null ? ", which is not open here" : ", which is too long"));
        }
        long onWire = (FrameHead.isVoid(head) ? 0 : length) + (FrameHead.isSealed(head) ? Seal.TAG_BYTES : 0);
        if (lane.isGone()) {
            skip(lane, onWire);
            return;
        }
        if (!lane.hasRequest() && lane.isAlone() && lane.neglect()) {
            paused = true;
            thread().interestChanged(this);
            return;
        }
        String complaint = complaint(lane, length);
        if (complaint.isEmpty() && FrameHead.isVoid(head)) {
            payload.beginVoid(lane);
            if (payload.left() == 0) {
                payload.finish(head);
            }
            return;
        }
        if (complaint.isEmpty()) {
            payload.begin(lane);
            return;
        }
        lane.leave();
        lane.allow(onWire + UNHEARD_BYTES);
        lane.fail(new TransportException(description() + ": " + complaint));
        say(new Reply(Reply.CLOSED, lane.number()));
        skip(lane, onWire);
    }

    private String complaint(ReceiveLane lane, long length) {
        if (!lane.hasRequest()) {
            return "the peer sent " + FrameHead.text(head) + " where nothing was awaited";
        }
        Lane.Requests r = lane.requests();
        int slot = r.slot(lane.done());
        long message = r.message[slot];
        long offset = r.offset[slot];
        return FrameHead.announces(head, lane.seal() != null, message, offset, r.bytes[slot])
                ? ""
                : "the peer sent " + FrameHead.text(head) + " where offset " + offset + " of message "
                        + Long.toHexString(message) + ", " + r.bytes[slot] + " bytes, was awaited, not " + length;
    }

    private void skip(ReceiveLane lane, long bytes) throws FrameException {
        if (!lane.spend(bytes)) {
            throw new FrameException("the peer goes on sending on a channel that is closed");
        }
        payload.skip(bytes);
    }

    private void finish() throws IOException {
        if (FrameHead.kind(head) == FrameHead.OPEN) {
            open();
        } else {
            payload.finish(head);
        }
    }

    private void open() throws FrameException {
        int number = FrameHead.channel(head);
        int slot = number & 0xffff;
        long which = FrameHead.message(head);
        long alone = FrameHead.offset(head);
        if (slot > lanes.size() || slot >= MOST_LANES || (slot < lanes.size() && lanes.get(slot) != null)) {
            throw new FrameException("the peer opens channel " + Integer.toHexString(number) + ", which cannot be");
        }
        if (which < 0 || which >= Handle.MOST_SOCKETS || (alone & ~1) != 0) {
            throw new FrameException("the peer opens a channel with " + FrameHead.text(head));
        }
        ReceiveLane lane = home.admit(this, token.toArray(ValueLayout.JAVA_BYTE), number, (int) which, alone == 1);
        if (lane == null) {
            say(new Reply(Reply.CLOSED, number));
            return;
        }
        if (slot == lanes.size()) {
            lanes.add(lane);
        } else {
            lanes.set(slot, lane);
        }
        users++;
        say(new Reply(Reply.OPENED, number));
    }

    /** The peer has closed a channel: its number may come again. One that was refused is not here. */
    private void closed(int number) {
        ReceiveLane lane = lane(number);
        if (lane != null) {
            forget(lane);
            lane.fail(new TransportException(description() + ": the peer closed the channel"));
        }
    }

    private void forget(ReceiveLane lane) {
        lanes.set(lane.number() & 0xffff, null);
        users--;
    }

    private @Nullable ReceiveLane lane(int number) {
        int slot = number & 0xffff;
        ReceiveLane lane = slot < lanes.size() ? lanes.get(slot) : null;
        return lane != null && lane.number() == number ? lane : null;
    }

    /** This side gives a channel up. When this returns its memory is written to no more. */
    void detach(ReceiveLane lane) {
        if (isEnded() || !lane.equals(lane(lane.number()))) {
            return;
        }
        boolean stalled = isStuck(System.nanoTime(), STALLED_NANOS);
        if (!lane.isGone()) {
            lane.leave();
            if (payload.isOf(lane)) {
                boolean ignored = lane.spend(payload.abandon()); // what has come of it is not late
            }
            say(new Reply(Reply.CLOSED, lane.number()));
        }
        if (lane.isAlone() || stalled) {
            leave(lane.isAlone() ? "closed" : "the peer has stopped in the middle of a frame");
        }
    }

    private void leave(String why) {
        try {
            socket().options().discardOnClose();
        } catch (LinuxException e) {
            // a connection that is broken already has nothing to discard
        }
        thread().end(this, new TransportException(description() + ": " + why));
    }

    // --- replies and time
    // -----------------------------------------------------------------------------------------------

    private void say(Reply reply) {
        replies.add(reply.encode());
        thread().enqueue(this);
    }

    private void flush() throws IOException {
        while (!replies.isEmpty()) {
            byte[] first = replies.element();
            repliedBytes += socket().sendNow(first, repliedBytes, first.length - repliedBytes);
            if (repliedBytes < first.length) {
                if (replies.size() > MOST_REPLIES) {
                    throw new FrameException("the peer does not read what it is answered");
                }
                thread().lookSoon();
                return;
            }
            repliedBytes = 0;
            replies.remove();
        }
    }

    private boolean isStuck(long now, long limit) {
        return !paused && (payload.left() > 0 || headBytes > 0) && now - heardAt > limit;
    }

    @Override
    void look(long now) throws IOException {
        flush();
        if (isStuck(now, STUCK_NANOS) && lanes.stream().noneMatch(l -> l != null && l.isAlone())) {
            throw new IOException("the peer has stopped in the middle of a frame for "
                    + TimeUnit.NANOSECONDS.toSeconds(STUCK_NANOS) + " s");
        }
        if (users == 0 && now - heardAt > GRACE_NANOS) {
            leave("not used any more");
        }
    }

    @Override
    void ended(TransportException why) {
        payload.close();
        for (ReceiveLane lane : lanes) {
            if (lane != null) {
                lane.fail(why);
            }
        }
    }
}
