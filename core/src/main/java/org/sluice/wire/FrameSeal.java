package org.sluice.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * AES-256-GCM over the frames of a control connection that carry a program's bytes: notifications and small transfers, which are to be
 * as safe as chunks of encrypted channels are. One key for each direction; the nonce counts sealed frames, from the link's beginning on,
 * and goes on when the connection moves, since its bytes are the same then. Belongs to the agent.
 */
public final class FrameSeal {
    /** What a sealed payload is longer by. */
    public static final int TAG_BYTES = 16;

    private static final int NONCE_BYTES = 12;
    private static final byte[] PURPOSE = "frames".getBytes(StandardCharsets.US_ASCII);

    private final Where where;
    private final Direction out;
    private final Direction in;

    /** @param client which side of the link this is */
    public FrameSeal(LinkKey key, boolean client, Where where) {
        this.where = where;
        this.out = new Direction(key, client);
        this.in = new Direction(key, !client);
    }

    private static final class Direction {
        private final SecretKey key;
        private final Cipher cipher;
        private final byte[] nonce = new byte[NONCE_BYTES];
        private long frames;

        Direction(LinkKey link, boolean fromClient) {
            byte[] purpose = ByteBuffer.allocate(PURPOSE.length + 1)
                    .put(PURPOSE)
                    .put((byte) (fromClient ? 1 : 0))
                    .array();
            key = new SecretKeySpec(link.derive(purpose), "AES");
            try {
                cipher = Cipher.getInstance("AES/GCM/NoPadding");
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("this JDK has no AES-GCM", e);
            }
        }

        Cipher next(int mode, FrameType type) throws GeneralSecurityException {
            ByteBuffer.wrap(nonce).order(ByteOrder.LITTLE_ENDIAN).putLong(NONCE_BYTES - Long.BYTES, frames++);
            cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * 8, nonce));
            cipher.updateAAD(new byte[] {(byte) type.code});
            return cipher;
        }
    }

    /** Puts the sealed bytes, {@link #TAG_BYTES} more than they are, into {@code to}. */
    void seal(FrameType type, byte[] bytes, ByteBuffer to) {
        try {
            out.next(Cipher.ENCRYPT_MODE, type).doFinal(ByteBuffer.wrap(bytes), to);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot encrypt: " + e.getMessage(), e);
        }
    }

    /** @throws ProtocolException when it is not what the peer sealed */
    byte[] open(FrameType type, byte[] sealed) {
        try {
            return in.next(Cipher.DECRYPT_MODE, type).doFinal(sealed);
        } catch (GeneralSecurityException e) {
            throw new ProtocolException(
                    where,
                    "a " + type + " is not what the peer encrypted (" + e.getMessage()
                            + "); somebody changes or repeats what is on the control connection",
                    e);
        }
    }
}
