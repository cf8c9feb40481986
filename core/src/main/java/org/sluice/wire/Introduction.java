package org.sluice.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What two nodes have after the first words of a connection.
 *
 * @param key the link's, where there is a shared secret; without one anybody could have it
 * @param transcript 32 bytes that stand for all that was said, fresh for every connection
 */
public record Introduction(@Nullable LinkKey key, byte[] transcript) {
    public static final int TOKEN_BYTES = 16;

    static Introduction of(@Nullable LinkKey key, byte[] clientHello, byte[] serverHello) {
        MessageDigest all = sha256();
        all.update(clientHello);
        all.update(serverHello);
        return new Introduction(key, all.digest());
    }

    /** Names the link that is made on this connection when its control connection moves to another. */
    public byte[] token() {
        MessageDigest all = sha256();
        all.update("sluice session v2".getBytes(StandardCharsets.US_ASCII));
        all.update(transcript);
        return Arrays.copyOf(all.digest(), TOKEN_BYTES);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }
}
