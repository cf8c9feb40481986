package org.sluice.daemon;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.RemoteLayout;

/**
 * Of lists that a client prepared: the slices that the peers were told once, so that a request says their numbers only. A slice is kept
 * from its second transfer on. Any thread.
 */
final class KeptSides {
    /** Slices of one link; who posts lists in ever other slices has them told each time. */
    private static final int MOST_SLICES = 64;
    /** Of what a link takes, so that many clients fit. */
    private static final int MOST_OF_A_LINK = Link.MOST_PREPARED * 3 / 4;

    private static final long MOST_BYTES_OF_A_LINK = Link.MOST_PREPARED_BYTES / 4 * 3;
    // what a prepared layout takes at the peer
    private static final int FIXED_BYTES = 128;
    private static final int REGION_BYTES = 16;
    private static final int PIECE_BYTES = 24;

    /** Makes the layouts of a slice. */
    interface Making {
        Layout local();

        RemoteLayout remote();
    }

    private record Slice(Link link, int from, int to, long firstOffset, long bytes) {}

    /** @param closing gives back what it takes of its link */
    private record Kept(Sides sides, PreparedLayout local, PreparedRemoteLayout remote, Runnable closing) {
        void close() {
            local.close();
            remote.close();
            closing.run();
        }
    }

    private final Map<Slice, @Nullable Kept> slices = new HashMap<>();
    private boolean closed;

    /** Both sides of a slice. @throws RuntimeException where they cannot be made */
    synchronized Sides of(SharedLink over, int from, int to, long firstOffset, long bytes, Making making) {
        Link link = over.link();
        Slice slice = new Slice(link, from, to, firstOffset, bytes);
        Kept kept = slices.get(slice);
        if (kept != null) {
            return kept.sides();
        }
        Layout local = making.local();
        RemoteLayout remote = making.remote();
        if (closed || !slices.containsKey(slice)) {
            if (!closed && slices.size() < MOST_SLICES) {
                slices.put(slice, null);
            } else if (!closed) {
                forgetEnded();
            }
            return new Sides(link, local, remote, false);
        }
        long cost = FIXED_BYTES
                + REGION_BYTES * remote.regions().size()
                + PIECE_BYTES * remote.pieces().count();
        if (!over.take(1, cost, MOST_OF_A_LINK, MOST_BYTES_OF_A_LINK)) {
            return new Sides(link, local, remote, false);
        }
        PreparedLayout here = link.prepare(local);
        PreparedRemoteLayout there = link.prepare(remote);
        Sides sides = new Sides(link, here, there, true);
        slices.put(slice, new Kept(sides, here, there, () -> over.giveBack(1, cost)));
        return sides;
    }

    /** Of links that are over. */
    private void forgetEnded() {
        slices.entrySet().removeIf(e -> {
            boolean over = e.getKey().link().ended().isDone();
            Kept kept = e.getValue();
            if (over && kept != null) {
                kept.close();
            }
            return over;
        });
    }

    /** The peer does not know them as they were told any more: the next transfers tell them anew. */
    synchronized void forget() {
        slices.values().forEach(k -> {
            if (k != null) {
                k.close();
            }
        });
        slices.clear();
    }

    /** Nothing is kept any more. */
    synchronized void close() {
        closed = true;
        forget();
    }
}
