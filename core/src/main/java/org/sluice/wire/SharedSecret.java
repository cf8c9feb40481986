package org.sluice.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.sluice.ConfigException;

/**
 * What both operators know. Each side proves it with HMAC-SHA256 over its role and both hello frames: the nonces in them make a
 * replayed proof worthless, the role a reflected one.
 */
public final class SharedSecret {
    private static final int LEAST_BYTES = 8;

    private final byte[] key;

    public SharedSecret(byte[] key) {
        if (key.length < LEAST_BYTES) {
            throw new ConfigException(
                    "the shared secret has " + key.length + " bytes, it needs at least " + LEAST_BYTES);
        }
        this.key = key.clone();
    }

    /** The link's key, once both hellos are exchanged. */
    public LinkKey key(LinkKey.Half mine, byte[] theirs, byte[] clientHello, byte[] serverHello) {
        return mine.with(theirs, key, clientHello, serverHello);
    }

    public byte[] proof(boolean client, byte[] clientHello, byte[] serverHello) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((client ? "sluice client v1" : "sluice server v1").getBytes(StandardCharsets.US_ASCII));
            mac.update(clientHello);
            mac.update(serverHello);
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no HmacSHA256", e);
        }
    }

    public boolean accepts(byte[] proof, boolean client, byte[] clientHello, byte[] serverHello) {
        return MessageDigest.isEqual(proof, proof(client, clientHello, serverHello));
    }
}
