package org.sluice.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.Where;

/**
 * The connection that stays when a link is made: grants, announcements, confirmations, heartbeats, goodbye. Writes are gathered
 * and go out when the agent flushes; runs of equal frames (grants above all) share one header. Belongs to the agent thread and
 * allocates nothing per grant.
 */
public final class ControlConnection implements AutoCloseable {
    /** More than this unread by the peer, and it is not reading any more. */
    private static final int MOST_UNSENT = 8 << 20;

    /** What a connection with little to say needs: a node may have hundreds. It grows with use, and shrinks again. */
    private static final int FIRST_BYTES = 1 << 10;

    /** What is read at a time where much comes. */
    private static final int BUSY_BYTES = 4 << 10;

    /** The longest frame. */
    private static final int MOST_IN = FrameType.HEADER_BYTES + FrameType.MAX_PAYLOAD;

    private static final int SHRINK_BYTES = 256 << 10;

    /** Flushes that empty a buffer which is too large, before it is given back. */
    private static final int SMALL_BEFORE_SHRINK = 1000;

    /** As much that can wait is written ahead of what the peer has taken: what cannot wait is behind it. */
    private static final int MOST_AHEAD = 1 << 20;

    /** Read at once; then the agent's other links have their turn, however fast this peer talks. */
    private static final int MOST_AT_ONCE = 256 << 10;

    static final int OPEN_BYTES = 32;
    static final int GRANT_BYTES = 24;
    static final int LANDED_BYTES = 8;
    private static final int NO_FRAME = -1;

    private final ControlStream stream;
    private final Where where;
    private final FrameParser parser;
    private final @Nullable FrameSeal seal;
    private ByteBuffer in = direct(FIRST_BYTES);
    private ByteBuffer out = direct(FIRST_BYTES);
    private int frameAt = NO_FRAME;
    private @Nullable FrameType frameType;
    private long readAt;
    private volatile long writtenAt;
    private boolean pongOwed;

    /** Of what waits, the layouts: what this side says at once, however long it is, is no sign of a peer that does not read. */
    private long layoutBytes;

    private final LayoutFrames.Frame layoutFrame = this::layoutFrame;
    /** How often in a row little was said at a time. */
    private int small;

    /** Held while something is written: the agent flushes, and the node's timer puts heartbeats in between. */
    private final ReentrantLock sending = new ReentrantLock();
    /** Of a heartbeat, what the socket has not taken. Guarded by {@link #sending}, as the next. */
    private final ByteBuffer beat = direct(FrameType.HEADER_BYTES).limit(0);
    /** Whether what was sent last ended within a frame. */
    private boolean midFrame;

    private boolean lastWords;
    private boolean mayHaveMore;

    /**
     * @param where the link, as messages name it
     * @param seal of what carries a program's bytes; null where nothing is sealed
     */
    public ControlConnection(ControlStream stream, Where where, @Nullable FrameSeal seal, long now) throws IOException {
        this.stream = stream;
        this.where = where;
        this.seal = seal;
        this.parser = new FrameParser(where, seal);
        this.readAt = now;
        this.writtenAt = now;
        stream.socket().configureBlocking(false);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The socket that it goes over now. */
    public SocketChannel socket() {
        return stream.socket();
    }

    /** When the peer was heard last. */
    public long readAt() {
        return readAt;
    }

    public long writtenAt() {
        return writtenAt;
    }

    /** Whether announcements and what belongs to them may be written now. */
    public boolean hasRoom() {
        return out.position() < MOST_AHEAD;
    }

    public void open(long id, long length, long tag, long mostChunk, int priority, int flags) {
        record(FrameType.OPEN, OPEN_BYTES);
        out.putLong(id).putLong(length).putLong(tag);
        terms(mostChunk, priority, flags);
    }

    private void terms(long mostChunk, int priority, int flags) {
        out.putInt((int) mostChunk).putShort((short) flags).put((byte) priority).put((byte) 0);
    }

    public void layout(int number, RemoteLayout layout) {
        LayoutFrames.write(layoutFrame, number, layout);
    }

    /** The layout that comes next is for many transfers. */
    public void prepare(int number) {
        frame(FrameType.PREPARE, 8);
        out.putInt(number).putInt(0);
    }

    public void release(int number) {
        frame(FrameType.RELEASE, 8);
        out.putInt(number).putInt(0);
    }

    /** Some pieces of a prepared layout. @param indices the first {@code count} count */
    public void selection(int number, int prepared, int[] indices, int count) {
        LayoutFrames.select(layoutFrame, number, prepared, indices, count);
    }

    private ByteBuffer layoutFrame(FrameType type, int payload) {
        layoutBytes += FrameType.HEADER_BYTES + payload;
        frame(type, payload);
        return out;
    }

    public void grant(long id, long offset, long bytes, int channelIndex, int generation) {
        record(FrameType.GRANT, GRANT_BYTES);
        out.putLong(id)
                .putLong(offset)
                .putShort((short) channelIndex)
                .putShort((short) generation)
                .putInt((int) bytes);
    }

    public void landed(long id) {
        record(FrameType.LANDED, LANDED_BYTES);
        out.putLong(id);
    }

    /** @param type WRITE or READ @param layout the number of the layout that it is to or from, instead of the region */
    public void oneSided(
            FrameType type,
            long id,
            long length,
            RemoteRegion region,
            long offset,
            int layout,
            long mostChunk,
            int priority,
            int flags) {
        frame(type, type.most);
        out.putLong(id).putLong(length);
        out.putLong(region.keyHigh()).putLong(region.keyLow()).putLong(offset);
        terms(mostChunk, priority, flags);
        out.putInt(layout).putInt(0);
    }

    public void cancel(long id, int why) {
        frame(FrameType.CANCEL, 16);
        out.putLong(id).putInt(why).putInt(0);
    }

    public void ended(long id, int why) {
        frame(FrameType.ENDED, 16);
        out.putLong(id).putInt(why).putInt(0);
    }

    public void notification(byte[] bytes) {
        sealed(FrameType.NOTIFICATION, bytes);
    }

    private void sealed(FrameType type, byte[] bytes) {
        if (seal == null) {
            frame(type, bytes.length);
            out.put(bytes);
        } else {
            frame(type, bytes.length + FrameSeal.TAG_BYTES);
            seal.seal(type, bytes, out);
        }
    }

    public void taken(long cost) {
        frame(FrameType.TAKEN, 8);
        out.putLong(cost);
    }

    public void bytes(byte[] bytes) {
        sealed(FrameType.BYTES, bytes);
    }

    public void refused(long id, TransferRefusal why, long detail) {
        frame(FrameType.REFUSED, 24);
        out.putLong(id).putInt(why.code()).putInt(0).putLong(detail);
    }

    public void channelDown(boolean peerSends, int channelIndex, int generation, String why) {
        byte[] text = cut(why, FrameType.CHANNEL_DOWN.most - 8);
        frame(FrameType.CHANNEL_DOWN, 8 + text.length);
        out.put((byte) (peerSends ? 1 : 0)).put((byte) 0);
        out.putShort((short) channelIndex)
                .putShort((short) generation)
                .putShort((short) 0)
                .put(text);
    }

    /** Listening for a lost channel's next life; the peer is to connect. */
    public void channelHandle(int channelIndex, int generation, byte[] handle) {
        frame(FrameType.CHANNEL_HANDLE, 8 + handle.length);
        channelOf(channelIndex, generation);
        out.put(handle);
    }

    /** Connected: the peer may grant on it. */
    public void channelUp(int channelIndex, int generation) {
        frame(FrameType.CHANNEL_UP, 8);
        channelOf(channelIndex, generation);
    }

    private void channelOf(int channelIndex, int generation) {
        out.putShort((short) channelIndex).putShort((short) generation).putInt(0);
    }

    public void note(byte[] note) {
        frame(FrameType.NOTE, note.length);
        out.put(note);
    }

    public void region(String name, long keyHigh, long keyLow, long size) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        frame(FrameType.REGION, 24 + text.length);
        out.putLong(keyHigh).putLong(keyLow).putLong(size).put(text);
    }

    public void withdraw(String name) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        frame(FrameType.WITHDRAW, text.length);
        out.put(text);
    }

    /** What the peer may have said of a kind in all. */
    public void credit(CreditKind kind, long totalCount, long totalBytes) {
        frame(FrameType.CREDIT, 24);
        out.putInt(kind.code).putInt(0).putLong(totalCount).putLong(totalBytes);
    }

    /** Where the peer, on this host, can hand parts of memory over and take them. @param handle of a pull transport's door */
    public void shareDoor(byte[] handle) {
        frame(FrameType.SHARE_DOOR, handle.length);
        out.put(handle);
    }

    /** What became of a block that the peer shared. @param state 0 it is open, 1 it cannot be, 2 it is closed again */
    public void held(int number, int state, String why) {
        byte[] text = cut(why, FrameType.HELD.most - 8);
        frame(FrameType.HELD, 8 + text.length);
        out.putInt(number).putInt(state).put(text);
    }

    /** A block that was shared is to be closed. */
    public void unshare(int number) {
        frame(FrameType.UNSHARE, 8);
        out.putInt(number).putInt(0);
    }

    public void probe() {
        frame(FrameType.PING, 0);
    }

    /** Answers the peer's question. However often it asks before this is sent, it gets one answer. */
    public void pong() {
        pongOwed = true;
    }

    public void goodbye() {
        frame(FrameType.GOODBYE, 0);
    }

    public void error(String why) {
        byte[] text = cut(why, FrameType.ERROR.most);
        frame(FrameType.ERROR, text.length);
        out.put(text);
    }

    private static byte[] cut(String text, int most) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= most ? bytes : java.util.Arrays.copyOf(bytes, most);
    }

    /** Room for one more record in the frame under way, or in a new one. */
    private void record(FrameType type, int bytes) {
        if (frameType == type && out.position() - frameAt - FrameType.HEADER_BYTES + bytes <= type.most) {
            reserve(bytes);
            int length = out.position() - frameAt - FrameType.HEADER_BYTES + bytes;
            out.putInt(frameAt + 8, length);
            return;
        }
        frame(type, bytes);
        frameAt = out.position() - FrameType.HEADER_BYTES;
        frameType = type;
    }

    private void frame(FrameType type, int payload) {
        reserve(FrameType.HEADER_BYTES + payload);
        frameAt = NO_FRAME;
        frameType = null;
        FrameHeader.write(out, type, payload);
    }

    private void reserve(int bytes) {
        if (out.remaining() >= bytes) {
            return;
        }
        if (out.position() + bytes > MOST_UNSENT + layoutBytes) {
            throw new PeerLostException(
                    where,
                    "the peer does not read its control connection any more (" + out.position() + " bytes wait)");
        }
        ByteBuffer larger = direct(Math.max(out.capacity() * 2, out.position() + bytes));
        out = larger.put(out.flip());
    }

    /** Sends what was gathered, as far as the socket takes it. @return whether something went out */
    public boolean flush(long now) throws IOException {
        if (pongOwed && out.position() == 0) {
            // behind a peer that does not read, answers to its questions do not pile up
            pongOwed = false;
            frame(FrameType.PONG, 0);
        }
        if (!hasUnsent()) {
            return false;
        }
        frameAt = NO_FRAME;
        frameType = null;
        sending.lock();
        try {
            if (!sendBeat()) {
                return false;
            }
            out.flip();
            int sent;
            try {
                sent = stream.write(out);
            } finally {
                out.compact(); // a stream that moves goes on after an error
                midFrame = out.position() > 0;
            }
            if (!midFrame) {
                layoutBytes = 0;
                shrink(sent);
            }
            if (sent > 0) {
                writtenAt = now;
            }
            return sent > 0;
        } finally {
            sending.unlock();
        }
    }

    /** Gives a large buffer back, when little has been said for long: who says much at a time does so again. */
    private void shrink(int said) {
        small = said < SHRINK_BYTES / 4 ? small + 1 : 0;
        if (out.capacity() > SHRINK_BYTES && small > SMALL_BEFORE_SHRINK) {
            out = direct(FIRST_BYTES);
        }
    }

    /** As {@link #flush}, and nobody says anything after it. */
    public void flushLast(long now) throws IOException {
        flush(now);
        pongOwed = false;
        sending.lock();
        try {
            lastWords = true;
        } finally {
            sending.unlock();
        }
    }

    /**
     * Says that this process lives, where nothing else was said for so long. From any thread: the agent, whose connection this
     * is, may be away.
     */
    public void beat(long now, long silentNanos) throws IOException {
        if (now - writtenAt < silentNanos || !sending.tryLock()) {
            return; // what is being written says it as well
        }
        try {
            // within a frame nothing can be said, and need not: the peer has not read what was sent before
            if (!lastWords && !midFrame && sendBeat()) {
                FrameHeader.write(beat.clear(), FrameType.PING, 0);
                beat.flip();
                sendBeat();
                writtenAt = now;
            }
        } finally {
            sending.unlock();
        }
    }

    /**
     * Says why the link is given up, from another thread than the agent, which does not come back; nothing is said after it. It
     * may be impossible: within a frame of the agent's there is no room for it.
     */
    public void errorFromOutside(String why) throws IOException {
        sending.lock();
        try {
            if (!lastWords && !midFrame && sendBeat()) {
                byte[] text = cut(why, FrameType.ERROR.most);
                ByteBuffer frame = direct(FrameType.HEADER_BYTES + text.length);
                FrameHeader.write(frame, FrameType.ERROR, text.length);
                stream.write(frame.put(text).flip());
            }
            lastWords = true;
            stream.shutdownOutput();
        } finally {
            sending.unlock();
        }
    }

    /** @return whether no part of a heartbeat is left to send */
    private boolean sendBeat() throws IOException {
        if (beat.hasRemaining()) {
            stream.write(beat);
        }
        return !beat.hasRemaining();
    }

    public boolean hasUnsent() {
        return pongOwed || out.position() > 0 || stream.hasUnsent();
    }

    /**
     * Reads what is there and hands it on.
     *
     * @return false at the end of the stream
     * @throws ProtocolException when the peer breaks the protocol
     */
    public boolean read(ControlListener listener, long now) throws IOException {
        mayHaveMore = false;
        int taken = 0;
        while (true) {
            int n = stream.read(in);
            if (n < 0) {
                return false;
            }
            if (n == 0) {
                return true;
            }
            readAt = now;
            taken += n;
            boolean full = !in.hasRemaining();
            in.flip();
            parse(in, listener);
            in.compact();
            if (full && (in.capacity() < BUSY_BYTES || !in.hasRemaining())) {
                // much comes at a time, or a frame is longer
                in = direct(Math.min(in.capacity() * 4, MOST_IN)).put(in.flip());
            }
            if (!full) {
                return true;
            }
            if (taken >= MOST_AT_ONCE) {
                mayHaveMore = true;
                return true;
            }
        }
    }

    /** Whether the last {@link #read} ended before all was read. What is left may be in this process already, and rings no bell. */
    public boolean mayHaveMore() {
        return mayHaveMore;
    }

    /** Hands on every whole frame and leaves what is cut off. @throws ProtocolException when the peer breaks the protocol */
    public void parse(ByteBuffer in, ControlListener listener) {
        parser.parse(in, listener);
    }

    /** No more will be said; what the peer still says can be read. */
    public void shutdownOutput() throws IOException {
        stream.shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
