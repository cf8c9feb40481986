package org.sluice.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
    private static final int MOST_UNSENT = 16 << 20;

    /** As much that can wait is written ahead of what the peer has taken: what cannot wait is behind it. */
    private static final int MOST_AHEAD = 1 << 20;

    private static final int OPEN_BYTES = 32;
    private static final int GRANT_BYTES = 24;
    private static final int LANDED_BYTES = 8;
    private static final int NO_FRAME = -1;

    private final ControlStream stream;
    private final Where where;
    private final LayoutFrames layouts;
    private final ByteBuffer in = direct(FrameType.HEADER_BYTES + FrameType.MAX_PAYLOAD);
    private ByteBuffer out = direct(128 << 10);
    private int frameAt = NO_FRAME;
    private @Nullable FrameType frameType;
    private long readAt;
    private long writtenAt;

    /** @param where the link, as messages name it */
    public ControlConnection(ControlStream stream, Where where, long now) throws IOException {
        this.stream = stream;
        this.where = where;
        this.layouts = new LayoutFrames(where);
        this.readAt = now;
        this.writtenAt = now;
        stream.socket().configureBlocking(false);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
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
        LayoutFrames.write(
                (type, payload) -> {
                    frame(type, payload);
                    return out;
                },
                number,
                layout);
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
        byte[] text = cut(name, FrameType.REGION.most - 24);
        frame(FrameType.REGION, 24 + text.length);
        out.putLong(keyHigh).putLong(keyLow).putLong(size).put(text);
    }

    public void probe() {
        frame(FrameType.PING, 0);
    }

    public void pong() {
        frame(FrameType.PONG, 0);
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
        if (out.capacity() >= MOST_UNSENT) {
            throw new PeerLostException(
                    where,
                    "the peer does not read its control connection any more (" + out.position() + " bytes wait)");
        }
        ByteBuffer larger = direct(Math.max(out.capacity() * 2, out.position() + bytes));
        out = larger.put(out.flip());
    }

    /** Sends what was gathered, as far as the socket takes it. @return whether something went out */
    public boolean flush(long now) throws IOException {
        if (!hasUnsent()) {
            return false;
        }
        frameAt = NO_FRAME;
        frameType = null;
        out.flip();
        int sent = stream.write(out);
        out.compact();
        if (sent > 0) {
            writtenAt = now;
        }
        return sent > 0;
    }

    public boolean hasUnsent() {
        return out.position() > 0 || stream.hasUnsent();
    }

    /**
     * Reads what is there and hands it on.
     *
     * @return false at the end of the stream
     * @throws ProtocolException when the peer breaks the protocol
     */
    public boolean read(ControlListener listener, long now) throws IOException {
        while (true) {
            int n = stream.read(in);
            if (n < 0) {
                return false;
            }
            if (n == 0) {
                return true;
            }
            readAt = now;
            boolean full = !in.hasRemaining();
            in.flip();
            parse(in, listener);
            in.compact();
            if (!full) {
                return true;
            }
        }
    }

    /** Hands on every whole frame and leaves what is cut off. @throws ProtocolException when the peer breaks the protocol */
    public void parse(ByteBuffer in, ControlListener listener) {
        while (in.remaining() >= FrameType.HEADER_BYTES) {
            FrameType type = FrameHeader.type(in, in.position());
            int payload = FrameHeader.payload(in, in.position());
            if (in.remaining() - FrameType.HEADER_BYTES < payload) {
                return;
            }
            in.position(in.position() + FrameType.HEADER_BYTES);
            int end = in.position() + payload;
            dispatch(in, type, payload, end, listener);
            in.position(end);
        }
    }

    private void dispatch(ByteBuffer in, FrameType type, int payload, int end, ControlListener to) {
        switch (type) {
            case OPEN -> {
                whole(type, payload, OPEN_BYTES);
                while (in.position() < end) {
                    long id = in.getLong();
                    long length = in.getLong();
                    long tag = in.getLong();
                    long mostChunk = in.getInt() & 0xffffffffL;
                    int flags = in.getShort() & 0xffff;
                    to.onOpen(id, length, tag, mostChunk, in.getShort() & 0xff, flags);
                }
            }
            case GRANT -> {
                whole(type, payload, GRANT_BYTES);
                while (in.position() < end) {
                    long id = in.getLong();
                    long offset = in.getLong();
                    int index = in.getShort() & 0xffff;
                    int generation = in.getShort() & 0xffff;
                    to.onGrant(id, offset, in.getInt() & 0xffffffffL, index, generation);
                }
            }
            case LANDED -> {
                whole(type, payload, LANDED_BYTES);
                while (in.position() < end) {
                    to.onLanded(in.getLong());
                }
            }
            case WRITE, READ -> {
                long id = in.getLong();
                long length = in.getLong();
                RemoteRegion region = new RemoteRegion(in.getLong(), in.getLong(), 0);
                long offset = in.getLong();
                long mostChunk = in.getInt() & 0xffffffffL;
                int flags = in.getShort() & 0xffff;
                int priority = in.getShort() & 0xff;
                int layout = in.getInt();
                in.getInt();
                if (type == FrameType.WRITE) {
                    to.onWrite(id, length, region, offset, layout, mostChunk, priority, flags);
                } else {
                    to.onRead(id, length, region, offset, layout, mostChunk, priority, flags);
                }
            }
            case LAYOUT -> {
                layouts.begin(in);
                whole(to, layouts.wholeAlready());
            }
            case LAYOUT_MORE -> whole(to, layouts.more(in, end));
            case REFUSED -> {
                long id = in.getLong();
                int why = in.getInt();
                in.getInt();
                TransferRefusal known = TransferRefusal.of(why);
                if (known == null) {
                    throw new ProtocolException(where, "the peer refused a transfer for unknown reason " + why);
                }
                to.onRefused(id, known, in.getLong());
            }
            case CHANNEL_DOWN -> {
                boolean weSend = in.get() == 1;
                in.get();
                int index = in.getShort() & 0xffff;
                int generation = in.getShort() & 0xffff;
                in.getShort();
                to.onChannelDown(weSend, index, generation, FrameSocket.text(bytes(in, end)));
            }
            case PING -> to.onPing();
            case PONG -> {}
            case CHANNEL_HANDLE -> {
                int index = in.getShort() & 0xffff;
                int generation = in.getShort() & 0xffff;
                in.getInt();
                to.onChannelHandle(index, generation, bytes(in, end));
            }
            case CHANNEL_UP -> {
                int index = in.getShort() & 0xffff;
                to.onChannelUp(index, in.getShort() & 0xffff);
            }
            case NOTE -> to.onNote(bytes(in, end));
            case REGION -> {
                long high = in.getLong();
                long low = in.getLong();
                long size = in.getLong();
                to.onRegion(FrameSocket.text(bytes(in, end)), high, low, size);
            }
            case ERROR -> to.onError(FrameSocket.text(bytes(in, end)));
            case GOODBYE -> to.onGoodbye();
            case HELLO, PROOF, IDENTITY, TARGET, RESUME, OFFER, ANSWER, HANDLES, READY, REFUSE ->
                throw new ProtocolException(where, "the peer sent " + type + " on a link that is made already");
        }
    }

    private void whole(ControlListener to, @Nullable RemoteLayout layout) {
        if (layout != null) {
            to.onLayout(layouts.number(), layout);
        }
    }

    private static byte[] bytes(ByteBuffer in, int end) {
        byte[] b = new byte[end - in.position()];
        in.get(b);
        return b;
    }

    private void whole(FrameType type, int payload, int record) {
        if (payload % record != 0) {
            throw new ProtocolException(
                    where,
                    "the peer sent a " + type + " frame of " + payload + " bytes, which is not a multiple of "
                            + record);
        }
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
