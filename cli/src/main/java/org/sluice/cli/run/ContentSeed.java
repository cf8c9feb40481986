package org.sluice.cli.run;

/**
 * Seeds for {@link org.sluice.Region#fill}: another one for every sender, GPU and iteration, far apart, so that bytes of a wrong
 * GPU or iteration do not compare.
 */
final class ContentSeed {
    private ContentSeed() {}

    /** @param sender 0 for the client, 1 for the server */
    static long of(int sender, int gpu, long iteration) {
        long z = ((long) sender << 56) ^ ((long) gpu << 48) ^ iteration;
        // the finaliser of SplitMix64 (Steele, Lea, Flood 2014), which is a bijection: no two seeds are equal
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
