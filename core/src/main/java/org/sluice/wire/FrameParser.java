package org.sluice.wire;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.Where;

/** Takes apart what a peer says on a link that is made. Nothing is read before its length is checked. Allocates nothing per grant. */
final class FrameParser {
    private final Where where;
    private final LayoutFrames layouts;

    private final @Nullable FrameSeal seal;

    /** @param where the link, as messages name it @param seal of what carries a program's bytes; null where nothing is sealed */
    FrameParser(Where where, @Nullable FrameSeal seal) {
        this.where = where;
        this.seal = seal;
        this.layouts = new LayoutFrames(where);
    }

    /** Hands on every whole frame and leaves what is cut off. @throws ProtocolException when the peer breaks the protocol */
    void parse(ByteBuffer in, ControlListener listener) {
        while (in.remaining() >= FrameType.HEADER_BYTES) {
            FrameType type = FrameHeader.type(in, in.position());
            int payload = FrameHeader.payload(in, in.position());
            if (in.remaining() - FrameType.HEADER_BYTES < payload) {
                break;
            }
            in.position(in.position() + FrameType.HEADER_BYTES);
            int end = in.position() + payload;
            dispatch(in, type, payload, end, listener);
            in.position(end);
        }
        listener.onPause();
    }

    private void dispatch(ByteBuffer in, FrameType type, int payload, int end, ControlListener to) {
        switch (type) {
            case OPEN -> {
                whole(type, payload, FrameWriter.OPEN_BYTES);
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
                whole(type, payload, FrameWriter.GRANT_BYTES);
                while (in.position() < end) {
                    long id = in.getLong();
                    long offset = in.getLong();
                    int index = in.getShort() & 0xffff;
                    int generation = in.getShort() & 0xffff;
                    to.onGrant(id, offset, in.getInt() & 0xffffffffL, index, generation);
                }
            }
            case LANDED -> {
                whole(type, payload, FrameWriter.LANDED_BYTES);
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
            case CANCEL -> to.onCancel(in.getLong(), in.getInt());
            case ENDED -> to.onEnded(in.getLong(), in.getInt());
            case NOTIFICATION -> to.onNotification(opened(type, in, end));
            case TAKEN -> to.onTaken(in.getLong());
            case BYTES ->
                to.onBytes(
                        seal == null
                                ? MemorySegment.ofBuffer(in).asSlice(0, payload)
                                : MemorySegment.ofArray(opened(type, in, end)));
            case LAYOUT -> {
                layouts.begin(in);
                whole(to, layouts.wholeAlready());
            }
            case LAYOUT_MORE -> whole(to, layouts.more(in, end));
            case PREPARE -> to.onPrepare(in.getInt());
            case RELEASE -> to.onRelease(in.getInt());
            case SELECTION -> {
                whole(type, payload, LayoutFrames.INDEX_BYTES);
                int number = in.getInt();
                int prepared = in.getInt();
                int total = in.getInt();
                in.getInt();
                to.onSelection(number, prepared, total, indices(in, end));
            }
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
            case WITHDRAW -> to.onWithdraw(FrameSocket.text(bytes(in, end)));
            case CREDIT -> {
                int code = in.getInt();
                in.getInt();
                CreditKind kind = CreditKind.of(code);
                if (kind == null) {
                    throw new ProtocolException(where, "the peer gave credit of unknown kind " + code);
                }
                long totalCount = in.getLong();
                to.onCredit(kind, totalCount, in.getLong());
            }
            case SHARE_DOOR -> to.onShareDoor(bytes(in, end));
            case HELD -> {
                int number = in.getInt();
                int state = in.getInt();
                to.onHeld(number, state, FrameSocket.text(bytes(in, end)));
            }
            case UNSHARE -> {
                int number = in.getInt();
                in.getInt();
                to.onUnshare(number);
            }
            case ERROR -> to.onError(FrameSocket.text(bytes(in, end)));
            case GOODBYE -> to.onGoodbye();
            case HELLO, PROOF, IDENTITY, TARGET, RESUME, OFFER, ANSWER, HANDLES, READY, REFUSE, JOIN, TABLE, WORD ->
                throw new ProtocolException(where, "the peer sent " + type + " on a link that is made already");
        }
    }

    private void whole(ControlListener to, @Nullable RemoteLayout layout) {
        if (layout != null) {
            to.onLayout(layouts.number(), layout);
        }
    }

    private static IntBuffer indices(ByteBuffer in, int end) {
        return in.slice(in.position(), end - in.position()).order(in.order()).asIntBuffer();
    }

    /** A program's bytes. */
    private byte[] opened(FrameType type, ByteBuffer in, int end) {
        byte[] said = bytes(in, end);
        byte[] bytes = seal == null ? said : seal.open(type, said);
        if (bytes.length > type.most - FrameSeal.TAG_BYTES) {
            throw new ProtocolException(where, "the peer sent a " + type + " of " + bytes.length + " bytes");
        }
        return bytes;
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
}
