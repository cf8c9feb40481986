package org.sluice.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.sluice.ProtocolException;

/** Reads the payload of a bootstrap frame. Every length is checked against what is there; what lies is a {@link ProtocolException}. */
public final class PayloadReader {
    private final FrameType type;
    private final ByteBuffer buffer;

    public PayloadReader(FrameType type, byte[] payload) {
        this.type = type;
        this.buffer = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void need(int bytes) {
        if (buffer.remaining() < bytes) {
            throw new ProtocolException("the peer sent a " + type + " frame that ends early: " + bytes
                    + " bytes expected at " + buffer.position() + " of " + buffer.limit());
        }
    }

    public int u8() {
        need(1);
        return buffer.get() & 0xff;
    }

    public int u16() {
        need(2);
        return buffer.getShort() & 0xffff;
    }

    public int u32() {
        need(4);
        return buffer.getInt();
    }

    public long u64() {
        need(8);
        return buffer.getLong();
    }

    public byte[] raw(int length) {
        need(length);
        byte[] bytes = new byte[length];
        buffer.get(bytes);
        return bytes;
    }

    public byte[] bytes(int most) {
        int length = u16();
        if (length > most) {
            throw new ProtocolException(
                    "the peer sent a " + type + " frame with a field of " + length + " bytes, allowed are " + most);
        }
        return raw(length);
    }

    public String text(int most) {
        return new String(bytes(most), StandardCharsets.UTF_8);
    }

    /** A number that has to be in a range. */
    public int within(int value, int least, int most, String what) {
        if (value < least || value > most) {
            throw new ProtocolException("the peer sent a " + type + " frame with " + what + " "
                    + Integer.toUnsignedString(value) + ", allowed are " + least + " to " + most);
        }
        return value;
    }

    public void end() {
        if (buffer.hasRemaining()) {
            throw new ProtocolException(
                    "the peer sent a " + type + " frame with " + buffer.remaining() + " bytes too many");
        }
    }
}
