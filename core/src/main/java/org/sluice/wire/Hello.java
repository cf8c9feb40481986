package org.sluice.wire;

import org.sluice.ProtocolException;

/**
 * The first frame of each side: nothing is said before it, and with a secret nothing but proofs is said after it until both have
 * been checked.
 *
 * @param client whether the sender opened the connection; a reflected hello has the wrong value
 * @param secret whether the sender has a shared secret and wants the other to prove that it has it too
 * @param nonce 32 fresh random bytes
 * @param publicKey the sender's half of the key exchange, fresh too
 */
public record Hello(boolean client, boolean secret, byte[] nonce, byte[] publicKey) {
    public static final int NONCE_BYTES = 32;

    public byte[] encode() {
        return new PayloadWriter()
                .u8(client ? 1 : 0)
                .u8(secret ? 1 : 0)
                .u16(0)
                .u32(0)
                .raw(nonce)
                .raw(publicKey)
                .toBytes();
    }

    public static Hello decode(byte[] payload) {
        PayloadReader in = new PayloadReader(FrameType.HELLO, payload);
        int client = in.within(in.u8(), 0, 1, "role");
        int secret = in.within(in.u8(), 0, 1, "secret flag");
        if (in.u16() != 0 || in.u32() != 0) {
            throw new ProtocolException("the peer sent a HELLO frame with reserved bits set");
        }
        byte[] nonce = in.raw(NONCE_BYTES);
        byte[] publicKey = in.raw(LinkKey.PUBLIC_BYTES);
        in.end();
        return new Hello(client == 1, secret == 1, nonce, publicKey);
    }
}
