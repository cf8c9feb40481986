package org.sluice.client;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory of another client, as its owner gave it out. A secret: give it only to whom you trust with the memory.
 *
 * @param bytes length of the memory
 */
public record RemoteKey(long high, long low, long bytes) {
    private static final int BYTES = 24;

    /** 24 bytes, to be sent to whoever may write or read there. */
    public byte[] toBytes() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(high)
                .putLong(low)
                .putLong(bytes)
                .array();
    }

    /** What {@link #toBytes} made. */
    public static RemoteKey fromBytes(byte[] bytes) {
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException("a key has " + BYTES + " bytes, not " + bytes.length);
        }
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return new RemoteKey(b.getLong(), b.getLong(), b.getLong());
    }

    @Override
    public String toString() {
        return "RemoteKey[" + bytes + " bytes]";
    }
}
