package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.List;
import org.sluice.Node;
import org.sluice.Region;

/**
 * A rank's memory: on each GPU a region that others read, filled with a pattern of this rank's own, and one to read into. One thread.
 */
final class Memory implements AutoCloseable {
    /** No rank's pattern. */
    private static final long NOBODY = -1;

    /** Wrong bytes are counted in pages. */
    private static final long PAGE = 4096;

    private final List<Region> out = new ArrayList<>();
    private final List<Region> in = new ArrayList<>();

    Memory(Node node, int rank, Plan plan) {
        for (int g = 0; g < plan.gpus(); g++) {
            Region full = node.allocate(g, plan.size());
            out.add(full);
            full.fill(0, plan.size(), seed(rank));
            in.add(node.allocate(g, plan.size()));
        }
    }

    private static long seed(int rank) {
        return 0x51_0000L + rank;
    }

    Region out(int gpu) {
        return out.get(gpu);
    }

    Region in(int gpu) {
        return in.get(gpu);
    }

    /** Makes sure that nothing of what is to come is there already. */
    void clear(int gpu, long offset, long bytes) {
        in.get(gpu).fill(offset, bytes, NOBODY);
    }

    /** How many of these bytes lie in pages that are not the partner's, byte by byte. */
    long wrong(int gpu, long offset, long bytes, int partner) {
        long wrong = 0;
        long at = offset;
        while (at < offset + bytes) {
            long mismatch = in.get(gpu).mismatch(at, offset + bytes - at, seed(partner));
            if (mismatch < 0) {
                break;
            }
            long next = Math.min((mismatch / PAGE + 1) * PAGE, offset + bytes);
            wrong += next - Math.max(at, mismatch / PAGE * PAGE);
            at = next;
        }
        return wrong;
    }

    @Override
    public void close() {
        out.forEach(Region::close);
        in.forEach(Region::close);
    }
}
