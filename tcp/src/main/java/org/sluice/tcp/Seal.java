package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.sluice.spi.ChannelKeys;
import org.sluice.spi.TransportException;

/**
 * AES-256-GCM over a channel's frames on one connection, in their one direction. The key belongs to this lane alone, since the token
 * in its derivation is random and new for each life of a channel; the nonce counts the lane's frames, so none is ever used twice,
 * whatever else the connection carries. The head goes in the clear and is sealed with the payload. Belongs to the connection's I/O
 * thread; the JDK's cipher allocates for each frame, which plain channels do not.
 */
@SuppressWarnings("restricted")
final class Seal {
    /** What a sealed payload is longer by. */
    static final int TAG_BYTES = 16;

    private static final int NONCE_BYTES = 12;

    private final SecretKey key;
    private final Cipher cipher;
    private final byte[] nonce = new byte[NONCE_BYTES];
    private long frames;

    /** @param token of the channel's handle; {@code socket} which of its connections this is */
    Seal(ChannelKeys keys, byte[] token, int socket) throws TransportException {
        byte[] purpose = ByteBuffer.allocate(token.length + 1)
                .put(token)
                .put((byte) socket)
                .array();
        try {
            this.key = new SecretKeySpec(keys.derive(purpose), "AES");
            this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
        } catch (GeneralSecurityException e) {
            throw new TransportException("this JDK has no AES-GCM", e);
        }
    }

    /** Seals a head and the payload at {@code address} into {@code sealed}, which is longer by {@link #TAG_BYTES}. */
    void seal(MemorySegment head, long address, long bytes, long sealed) throws IOException {
        try {
            begin(Cipher.ENCRYPT_MODE, head);
            cipher.doFinal(view(address, bytes), view(sealed, bytes + TAG_BYTES));
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot encrypt: " + e.getMessage(), e);
        }
    }

    /** Opens what lies at {@code sealed} into {@code address}. @throws IOException when it is not what the peer sealed */
    void open(MemorySegment head, long sealed, long address, long bytes) throws IOException {
        try {
            begin(Cipher.DECRYPT_MODE, head);
            cipher.doFinal(view(sealed, bytes + TAG_BYTES), view(address, bytes));
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    "frame " + (frames - 1) + " is not what the peer encrypted (" + e.getMessage()
                            + "); somebody changes or repeats what is on the wire",
                    e);
        }
    }

    private void begin(int mode, MemorySegment head) throws GeneralSecurityException {
        ByteBuffer.wrap(nonce).order(ByteOrder.LITTLE_ENDIAN).putLong(NONCE_BYTES - Long.BYTES, frames++);
        cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * 8, nonce));
        cipher.updateAAD(head.asByteBuffer());
    }

    private static ByteBuffer view(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes).asByteBuffer();
    }
}
