package org.sluice.wire;

import java.nio.ByteBuffer;
import org.sluice.ErrorCode;
import org.sluice.ProtocolException;
import org.sluice.Where;

/** Reads and writes the 12 bytes before each frame. Buffers are little-endian. */
public final class FrameHeader {
    private FrameHeader() {}

    public static void write(ByteBuffer out, FrameType type, int payload) {
        write(out, FrameType.VERSION, type, payload);
    }

    /** As {@link #write(ByteBuffer, FrameType, int)}, for a peer that reads no other version. */
    static void write(ByteBuffer out, int version, FrameType type, int payload) {
        out.putInt(FrameType.MAGIC);
        out.put((byte) version);
        out.put((byte) type.code);
        out.putShort((short) 0);
        out.putInt(payload);
    }

    /** The type of the frame whose header starts at {@code at}; everything in the header is checked. */
    public static FrameType type(ByteBuffer in, int at) {
        if (in.getInt(at) != FrameType.MAGIC) {
            throw new ProtocolException("what came is no Sluice frame (it starts with "
                    + Integer.toHexString(Integer.reverseBytes(in.getInt(at)))
                    + "); is the other side Sluice, with the same --bootstrap?");
        }
        int version = version(in, at);
        // an older node says no in its own version, and is heard; nothing else that it says is understood
        boolean refusal = version < FrameType.VERSION && FrameType.of(in.get(at + 5)) == FrameType.REFUSE;
        if (version != FrameType.VERSION && !refusal) {
            throw new ProtocolException(
                    ErrorCode.VERSION,
                    Where.NOWHERE,
                    "the peer speaks protocol version " + version + ", this side speaks version " + FrameType.VERSION
                            + "; install the same version of Sluice on both");
        }
        FrameType type = FrameType.of(in.get(at + 5));
        if (type == null || in.getShort(at + 6) != 0) {
            throw new ProtocolException("the peer sent a frame of unknown type " + (in.get(at + 5) & 0xff));
        }
        int length = in.getInt(at + 8);
        if (length < type.least || length > type.most) {
            throw new ProtocolException("the peer sent a " + type + " frame of " + Integer.toUnsignedString(length)
                    + " bytes, allowed are " + type.least + " to " + type.most);
        }
        return type;
    }

    /** The version of whoever wrote the frame; means something only where the magic is right. */
    static int version(ByteBuffer in, int at) {
        return in.get(at + 4) & 0xff;
    }

    /** The payload length; call {@link #type} first, which checks it. */
    public static int payload(ByteBuffer in, int at) {
        return in.getInt(at + 8);
    }
}
