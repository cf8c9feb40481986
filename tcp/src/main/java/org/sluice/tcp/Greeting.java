package org.sluice.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * The first bytes on each data connection: the connecting side shows the token of the handle and says which of the channel's
 * connections this is, the listening side answers with eight bytes that it is welcome.
 */
final class Greeting {
    /** u32 magic, u8 version, u8 which socket, u16 zero, 16 bytes of token. */
    static final int BYTES = 24;

    private static final int VERSION = 1;

    /** {@code SLTG}, little-endian. */
    private static final int MAGIC = 0x47544C53;

    private static final byte[] WELCOME = {'S', 'L', 'T', 'W', VERSION, 0, 0, 0};

    static final int WELCOME_BYTES = WELCOME.length;

    private Greeting() {}

    static byte[] encode(byte[] token, int socket) {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return out.putInt(MAGIC)
                .put((byte) VERSION)
                .put((byte) socket)
                .putShort((short) 0)
                .put(token)
                .array();
    }

    /** Which of the channel's sockets this is, or -1 for somebody who may not be here. */
    static int socket(byte[] greeting, byte[] token, int sockets) {
        ByteBuffer in = ByteBuffer.wrap(greeting).order(ByteOrder.LITTLE_ENDIAN);
        boolean known = in.getInt() == MAGIC && in.get() == VERSION;
        int socket = in.get();
        boolean proven = MessageDigest.isEqual(Arrays.copyOfRange(greeting, 8, BYTES), token);
        return known && proven && socket >= 0 && socket < sockets ? socket : -1;
    }

    /** Whether somebody came to prove a rail. */
    static boolean isProof(byte[] greeting) {
        ByteBuffer in = ByteBuffer.wrap(greeting).order(ByteOrder.LITTLE_ENDIAN);
        return in.getInt() == MAGIC && in.get() == VERSION && (in.get() & 0xff) == Proof.SOCKET;
    }

    static byte[] welcome() {
        return WELCOME.clone();
    }

    static boolean isWelcome(byte[] answer) {
        return Arrays.equals(answer, WELCOME);
    }
}
