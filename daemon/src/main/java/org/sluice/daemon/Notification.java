package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Bytes for the client that a mailbox names, as daemons tell each other.
 *
 * @param to whose it is
 * @param from the mailbox of who sent it
 */
record Notification(Key to, Key from, byte[] bytes) {
    private static final long KIND = 1;
    private static final int HEAD_BYTES = 40;

    byte[] encode() {
        ByteBuffer b = ByteBuffer.allocate(HEAD_BYTES + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        b.putLong(KIND);
        to.write(b);
        from.write(b);
        return b.put(bytes).array();
    }

    /** Null for what is none. */
    static @Nullable Notification decode(byte[] frame) {
        if (frame.length < HEAD_BYTES || frame.length > HEAD_BYTES + Quotas.MOST_NOTE) {
            return null;
        }
        ByteBuffer b = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
        if (b.getLong() != KIND) {
            return null;
        }
        Key to = Key.read(b);
        Key from = Key.read(b);
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        return new Notification(to, from, bytes);
    }
}
