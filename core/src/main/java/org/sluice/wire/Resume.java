package org.sluice.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * "This connection takes the place of that link's control connection", said by the client after the hellos, and the server's answer.
 *
 * @param token of the link, from {@link Introduction#token}
 * @param taken bytes of the peer's that this side has: where the peer goes on
 * @param proof that this side has the link's key, bound to this connection; zeros where the link has none
 */
public record Resume(byte[] token, long taken, byte[] proof) {
    private static final int PROOF_BYTES = 32;

    /** @param on what was said on the new connection so far */
    public static Resume of(boolean client, Introduction link, long taken, Introduction on) {
        return new Resume(link.token(), taken, proof(client, link, taken, on));
    }

    /** Whether whoever said it has the link's key. @param client whether the client said it */
    public boolean isProven(boolean client, Introduction link, Introduction on) {
        return MessageDigest.isEqual(proof, proof(client, link, taken, on));
    }

    private static byte[] proof(boolean client, Introduction link, long taken, Introduction on) {
        LinkKey key = link.key();
        return key == null ? new byte[PROOF_BYTES] : proof(key, client, taken, on);
    }

    private static byte[] proof(LinkKey key, boolean client, long taken, Introduction on) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.derive("resume".getBytes(StandardCharsets.US_ASCII)), "HmacSHA256"));
            mac.update((byte) (client ? 1 : 0));
            mac.update(ByteBuffer.allocate(Long.BYTES).putLong(0, taken));
            return mac.doFinal(on.transcript());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no HMAC-SHA256", e);
        }
    }

    public byte[] encode() {
        return new PayloadWriter().raw(token).u64(taken).raw(proof).toBytes();
    }

    public static Resume decode(byte[] payload) {
        PayloadReader in = new PayloadReader(FrameType.RESUME, payload);
        Resume resume = new Resume(in.raw(Introduction.TOKEN_BYTES), in.u64(), in.raw(PROOF_BYTES));
        in.end();
        return resume;
    }
}
