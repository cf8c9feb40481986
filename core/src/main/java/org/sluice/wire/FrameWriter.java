package org.sluice.wire;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.PeerLostException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.Where;

/**
 * Gathers what is said on a control connection until it is flushed: every frame of a link at work. Runs of equal frames (grants above all)
 * share one header. Belongs to the agent thread and allocates nothing per grant.
 */
public abstract sealed class FrameWriter permits ControlConnection {
    /** More than this unread by the peer, and it is not reading any more. */
    private static final int MOST_UNSENT = 8 << 20;

    /** What a connection with little to say needs: a node may have hundreds. It grows with use, and shrinks again. */
    static final int FIRST_BYTES = 1 << 10;

    private static final int SHRINK_BYTES = 256 << 10;

    /** Flushes that empty a buffer which is too large, before it is given back. */
    private static final int SMALL_BEFORE_SHRINK = 1000;

    /** As much that can wait is written ahead of what the peer has taken: what cannot wait is behind it. */
    private static final int MOST_AHEAD = 1 << 20;

    static final int OPEN_BYTES = 32;
    static final int GRANT_BYTES = 24;
    static final int LANDED_BYTES = 8;
    private static final int NO_FRAME = -1;

    private final Where where;
    private final @Nullable FrameSeal seal;
    private final LayoutFrames.Frame layoutFrame = this::layoutFrame;
    private ByteBuffer out = direct(FIRST_BYTES);
    private int frameAt = NO_FRAME;
    private @Nullable FrameType frameType;
    private boolean pongOwed;

    /** Of what waits, the layouts: what this side says at once, however long it is, is no sign of a peer that does not read. */
    private long layoutBytes;

    /** How often in a row little was said at a time. */
    private int small;

    /** @param seal of what carries a program's bytes; null where nothing is sealed */
    FrameWriter(Where where, @Nullable FrameSeal seal) {
        this.where = where;
        this.seal = seal;
    }

    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
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

    /** @param fill puts the bytes into this side's frame, so that nothing else has to hold them; where it throws, nothing is said */
    public void bytes(int length, Consumer<MemorySegment> fill) {
        if (seal != null) {
            byte[] plain = new byte[length];
            fill.accept(MemorySegment.ofArray(plain));
            sealed(FrameType.BYTES, plain);
            return;
        }
        int before = out.position();
        frame(FrameType.BYTES, length);
        try {
            fill.accept(MemorySegment.ofBuffer(out).asSlice(0, length));
        } catch (Throwable e) {
            out.position(before);
            throw e;
        }
        out.position(out.position() + length);
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

    static byte[] cut(String text, int most) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= most ? bytes : Arrays.copyOf(bytes, most);
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

    /** An answer that is owed is gathered as well: behind a peer that does not read, answers to its questions do not pile up. */
    final void oweNothing() {
        if (pongOwed && out.position() == 0) {
            pongOwed = false;
            frame(FrameType.PONG, 0);
        }
    }

    final void forgetPong() {
        pongOwed = false;
    }

    final boolean isGathered() {
        return pongOwed || out.position() > 0;
    }

    /** What waits, to be taken from the front; what is said next begins a frame of its own. */
    final ByteBuffer gathered() {
        frameAt = NO_FRAME;
        frameType = null;
        return out;
    }

    final int outBytes() {
        return out.capacity();
    }

    final void trimOut() {
        if (out.position() == 0) {
            out = direct(FIRST_BYTES);
        }
    }

    /** All of it has gone. Gives a large buffer back, when little has been said for long: who says much at a time does so again. */
    final void shrink(int said) {
        layoutBytes = 0;
        small = said < SHRINK_BYTES / 4 ? small + 1 : 0;
        if (out.capacity() > SHRINK_BYTES && small > SMALL_BEFORE_SHRINK) {
            out = direct(FIRST_BYTES);
        }
    }
}
