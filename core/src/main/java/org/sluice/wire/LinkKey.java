package org.sluice.wire;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.interfaces.XECPublicKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPublicKeySpec;
import javax.crypto.KDF;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.HKDFParameterSpec;
import org.sluice.ProtocolException;

/**
 * What both ends of a link have in common and nobody else: derived from an X25519 exchange in the hello frames and the shared
 * secret, over the whole handshake. Recorded traffic stays closed when the secret leaks later, since the exchange is not recorded.
 */
public final class LinkKey {
    /** An X25519 public key, RFC 7748: 32 bytes, little-endian. */
    public static final int PUBLIC_BYTES = 32;

    private static final String CURVE = "X25519";

    private final byte[] pseudoRandom;

    private LinkKey(byte[] pseudoRandom) {
        this.pseudoRandom = pseudoRandom;
    }

    /** This side's half of the exchange, fresh for each connection. */
    public static final class Half {
        private final KeyPair pair;

        public Half() {
            try {
                pair = KeyPairGenerator.getInstance(CURVE).generateKeyPair();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("this JDK has no " + CURVE, e);
            }
        }

        public byte[] publicKey() {
            byte[] bigEndian = ((XECPublicKey) pair.getPublic()).getU().toByteArray();
            byte[] out = new byte[PUBLIC_BYTES];
            for (int i = 0; i < bigEndian.length && i < PUBLIC_BYTES; i++) {
                out[i] = bigEndian[bigEndian.length - 1 - i];
            }
            return out;
        }

        /**
         * The link's key.
         *
         * @param secret the shared secret
         * @param theirs the peer's public key, foreign bytes
         */
        public LinkKey with(byte[] theirs, byte[] secret, byte[] clientHello, byte[] serverHello) {
            byte[] bigEndian = new byte[PUBLIC_BYTES];
            for (int i = 0; i < PUBLIC_BYTES; i++) {
                bigEndian[i] = theirs[PUBLIC_BYTES - 1 - i];
            }
            bigEndian[0] &= 0x7f; // RFC 7748, section 5: the highest bit is masked
            try {
                KeyAgreement agreement = KeyAgreement.getInstance(CURVE);
                agreement.init(pair.getPrivate());
                agreement.doPhase(
                        KeyFactory.getInstance(CURVE)
                                .generatePublic(
                                        new XECPublicKeySpec(NamedParameterSpec.X25519, new BigInteger(1, bigEndian))),
                        true);
                MessageDigest transcript = MessageDigest.getInstance("SHA-256");
                transcript.update(clientHello);
                transcript.update(serverHello);
                byte[] extracted = KDF.getInstance("HKDF-SHA256")
                        .deriveData(HKDFParameterSpec.ofExtract()
                                .addIKM(agreement.generateSecret())
                                .addIKM(secret)
                                .addSalt(transcript.digest())
                                .extractOnly());
                return new LinkKey(extracted);
            } catch (GeneralSecurityException e) {
                // a point of small order is refused here: nobody sends one by accident
                throw new ProtocolException("the peer's public key is not acceptable (" + e.getMessage() + ")", e);
            }
        }
    }

    /** 32 bytes bound to this link and to {@code purpose}. */
    public byte[] derive(byte[] purpose) {
        try {
            byte[] label = "sluice channel v1".getBytes(StandardCharsets.US_ASCII);
            byte[] info = new byte[label.length + purpose.length];
            System.arraycopy(label, 0, info, 0, label.length);
            System.arraycopy(purpose, 0, info, label.length, purpose.length);
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(HKDFParameterSpec.expandOnly(
                            new javax.crypto.spec.SecretKeySpec(pseudoRandom, "HKDF"), info, 32));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no HKDF-SHA256", e);
        }
    }
}
