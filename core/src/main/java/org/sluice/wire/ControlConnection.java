package org.sluice.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * The connection that stays when a link is made: grants, announcements, confirmations, heartbeats, goodbye. Writes are gathered
 * and go out when the agent flushes; runs of equal frames (grants above all) share one header. Belongs to the agent thread and
 * allocates nothing per grant.
 */
public final class ControlConnection extends FrameWriter implements SignsOfLife, AutoCloseable {
    /** What is read at a time where much comes. */
    private static final int BUSY_BYTES = 4 << 10;

    /** After so long without a word it gives memory back. */
    public static final int TRIM_MILLIS = 500;

    /** The longest frame. */
    private static final int MOST_IN = FrameType.HEADER_BYTES + FrameType.MAX_PAYLOAD;

    /** Read at once; then the agent's other links have their turn, however fast this peer talks. */
    private static final int MOST_AT_ONCE = 256 << 10;

    private final ControlStream stream;
    private final FrameParser parser;
    private ByteBuffer in = direct(FIRST_BYTES);
    private volatile long readAt;
    private volatile long writtenAt;
    private boolean heard;
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
        super(where, seal);
        this.stream = stream;
        this.parser = new FrameParser(where, seal);
        this.readAt = now;
        this.writtenAt = now;
        stream.socket().configureBlocking(false);
    }

    /** The socket that it goes over now. */
    public SocketChannel socket() {
        return stream.socket();
    }

    @Override
    public long readAt() {
        return readAt;
    }

    @Override
    public long writtenAt() {
        return writtenAt;
    }

    /** Whether the peer has said anything since the link was made. */
    public boolean isHeard() {
        return heard;
    }

    /** Whether it has more memory than a link needs that has little to say. */
    public boolean isLarge() {
        return in.capacity() > BUSY_BYTES || outBytes() > BUSY_BYTES || stream.isLarge();
    }

    /** Gives back what it has grown by, once nothing was said for {@link #TRIM_MILLIS}: a node may have hundreds of links at rest. */
    public void trim(long now) {
        if (!isLarge() || now - Math.max(readAt, writtenAt) < TimeUnit.MILLISECONDS.toNanos(TRIM_MILLIS)) {
            return;
        }
        if (in.position() == 0) {
            in = direct(FIRST_BYTES);
        }
        sending.lock();
        try {
            trimOut();
            stream.trim();
        } finally {
            sending.unlock();
        }
    }

    /** Sends what was gathered, as far as the socket takes it. @return whether something went out */
    public boolean flush(long now) throws IOException {
        oweNothing();
        if (!hasUnsent()) {
            return false;
        }
        ByteBuffer out = gathered();
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

    /** As {@link #flush}, and nobody says anything after it. */
    public void flushLast(long now) throws IOException {
        flush(now);
        forgetPong();
        sending.lock();
        try {
            lastWords = true;
        } finally {
            sending.unlock();
        }
    }

    /** From any thread: the agent, whose connection this is, may be away. */
    @Override
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
        return isGathered() || stream.hasUnsent();
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
            heard = true;
            taken += n;
            boolean full = !in.hasRemaining();
            in.flip();
            parse(in, listener);
            if (in.position() == 0) {
                in.position(in.limit()).limit(in.capacity()); // the beginning of a long frame stays where it is
            } else {
                in.compact();
            }
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
