package org.sluice.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The first bytes on each connection to a data port: the connecting side says what it came for and shows a token that lets it in. For
 * a data connection it is that of the first channel it will open.
 */
final class Greeting {
    /** u32 magic, u8 version, u8 what for, u16 zero, 16 bytes of token. */
    static final int BYTES = 24;

    /** What for: frames of channels. */
    static final int DATA = 0;

    /** What for: to prove a rail. */
    static final int PROOF = 255;

    private static final int VERSION = 1;

    /** {@code SLTG}, little-endian. */
    private static final int MAGIC = 0x47544C53;

    private Greeting() {}

    static byte[] encode(byte[] token, int purpose) {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return out.putInt(MAGIC)
                .put((byte) VERSION)
                .put((byte) purpose)
                .putShort((short) 0)
                .put(token)
                .array();
    }

    /** What somebody came for, or -1 for who does not greet. */
    static int purpose(byte[] greeting) {
        ByteBuffer in = ByteBuffer.wrap(greeting).order(ByteOrder.LITTLE_ENDIAN);
        boolean known = in.getInt() == MAGIC && in.get() == VERSION;
        int purpose = in.get() & 0xff;
        return known && in.getShort() == 0 && (purpose == DATA || purpose == PROOF) ? purpose : -1;
    }

    /** Whether somebody came to prove a rail. */
    static boolean isProof(byte[] greeting) {
        return purpose(greeting) == PROOF;
    }
}
