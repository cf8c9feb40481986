package org.sluice.spi;

import java.security.SecureRandom;

/**
 * Who is at the other end, as far as this node knows: 128 bits that are the same for all channels to one node, and for no other.
 * A transport may let channels with the same id share connections. It is a claim, not a proof: what is shared has to be proven by
 * other means (a token, a key).
 */
public record PeerId(long high, long low) {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** Somebody of whom nothing is known: equal to no other. */
    public static PeerId unique() {
        return new PeerId(RANDOM.nextLong(), RANDOM.nextLong());
    }
}
