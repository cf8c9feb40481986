package org.sluice.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Builds the payload of a bootstrap frame: little-endian numbers, byte strings and texts with a u16 length before them. */
public final class PayloadWriter {
    private ByteBuffer buffer = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);

    private void need(int bytes) {
        if (buffer.remaining() < bytes) {
            ByteBuffer larger = ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + bytes))
                    .order(ByteOrder.LITTLE_ENDIAN);
            buffer = larger.put(buffer.flip());
        }
    }

    public PayloadWriter u8(int value) {
        need(1);
        buffer.put((byte) value);
        return this;
    }

    public PayloadWriter u16(int value) {
        need(2);
        buffer.putShort((short) value);
        return this;
    }

    public PayloadWriter u32(int value) {
        need(4);
        buffer.putInt(value);
        return this;
    }

    public PayloadWriter u64(long value) {
        need(8);
        buffer.putLong(value);
        return this;
    }

    public PayloadWriter raw(byte[] bytes) {
        need(bytes.length);
        buffer.put(bytes);
        return this;
    }

    public PayloadWriter bytes(byte[] bytes) {
        if (bytes.length > 0xffff) {
            throw new IllegalArgumentException(bytes.length + " bytes do not fit a u16 length");
        }
        return u16(bytes.length).raw(bytes);
    }

    public PayloadWriter text(String text) {
        return bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes so far. */
    public int size() {
        return buffer.position();
    }

    public byte[] toBytes() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }
}
