package org.sluice.cli.run;

import org.sluice.Region;

/** Compares a region with what should have been received into it. */
public final class Verification {
    /** Wrong bytes are counted in pages of this size. */
    static final long PAGE = 4096;

    private Verification() {}

    public static Outcome compare(Region region, long bytes, long seed, long iteration) {
        long wrong = 0;
        String first = null;
        long at = 0;
        while (at < bytes) {
            long mismatch = region.mismatch(at, bytes - at, seed);
            if (mismatch < 0) {
                break;
            }
            if (first == null) {
                first = "GPU " + region.gpu() + ", iteration " + iteration + ", byte " + mismatch;
            }
            long page = mismatch / PAGE * PAGE;
            long next = Math.min(page + PAGE, bytes);
            wrong += next - page;
            at = next;
        }
        return new Outcome(bytes, wrong, first);
    }
}
