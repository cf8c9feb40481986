package org.sluice.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the receiving end of a data connection says: 16 bytes, little-endian: u32 magic, u8 version, u8 kind, u16 zero, u32 number of
 * the channel, u32 zero.
 *
 * @param kind {@link #OPENED} or {@link #CLOSED}
 * @param channel its number on this connection
 */
record Reply(int kind, int channel) {
    static final int BYTES = 16;

    /** The channel is known here: its frames are taken. */
    static final int OPENED = 1;

    /** There is no such channel here, or not any more: what is still sent on it is thrown away. */
    static final int CLOSED = 2;

    /** {@code SLTA}, little-endian. */
    private static final int MAGIC = 0x41544C53;

    private static final int VERSION = 1;

    byte[] encode() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC)
                .put((byte) VERSION)
                .put((byte) kind)
                .putShort((short) 0)
                .putInt(channel)
                .putInt(0)
                .array();
    }

    /** Foreign bytes, {@link #BYTES} of them. @throws FrameException when they are no reply */
    static Reply decode(byte[] bytes) throws FrameException {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        boolean known = in.getInt() == MAGIC && in.get() == VERSION;
        int kind = in.get();
        known &= in.getShort() == 0;
        int channel = in.getInt();
        known &= in.getInt() == 0;
        if (!known || (kind != OPENED && kind != CLOSED)) {
            throw new FrameException("the peer answered with something that is no reply");
        }
        return new Reply(kind, channel);
    }
}
