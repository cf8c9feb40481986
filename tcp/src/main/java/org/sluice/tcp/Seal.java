package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.Arena;
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
 * AES-256-GCM over the frames of one connection in its one direction. The key belongs to this connection alone, since the token
 * in its derivation is random and new for each life of a channel; the nonce counts frames, so none is ever used twice. The head
 * goes in the clear and is sealed with the payload. Belongs to the connection's I/O thread; the JDK's cipher allocates for each
 * frame, which plain channels do not.
 */
@SuppressWarnings({"restricted", "MustBeClosedChecker"}) // close() closes the arena
final class Seal {
    /** What a sealed payload is longer by. */
    static final int TAG_BYTES = 16;

    private static final int NONCE_BYTES = 12;

    private final SecretKey key;
    private final Cipher cipher;
    private final byte[] nonce = new byte[NONCE_BYTES];
    private long frames;
    private Arena arena = Arena.ofShared();
    private MemorySegment sealed = MemorySegment.NULL;

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

    /** Where a sealed payload lies: after {@link #seal}, and before {@link #open}. */
    long buffer(long bytes) {
        if (sealed.byteSize() < bytes + TAG_BYTES) {
            arena.close();
            arena = Arena.ofShared();
            sealed = arena.allocate(bytes + TAG_BYTES, 64);
        }
        return sealed.address();
    }

    /** Seals a head and the payload at {@code address} into the {@link #buffer}. */
    void seal(MemorySegment head, long address, long bytes) throws IOException {
        long ignored = buffer(bytes);
        try {
            begin(Cipher.ENCRYPT_MODE, head);
            cipher.doFinal(
                    view(address, bytes), sealed.asSlice(0, bytes + TAG_BYTES).asByteBuffer());
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot encrypt: " + e.getMessage(), e);
        }
    }

    /** Opens what lies in the {@link #buffer} into {@code address}. @throws IOException when it is not what the peer sealed */
    void open(MemorySegment head, long address, long bytes) throws IOException {
        try {
            begin(Cipher.DECRYPT_MODE, head);
            cipher.doFinal(sealed.asSlice(0, bytes + TAG_BYTES).asByteBuffer(), view(address, bytes));
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

    /** Frees the buffer, when the thread has left. Idempotent. */
    void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
