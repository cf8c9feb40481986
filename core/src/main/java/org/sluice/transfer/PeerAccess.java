package org.sluice.transfer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.TransferRefusal;
import org.sluice.Where;

/**
 * What the peer may reach of this side's memory: takes hold of the regions that it names, checks what it wants of them piece by piece,
 * and keeps the layouts that it says ahead of transfers. All that it keeps is bounded in sum. Belongs to the agent.
 */
final class PeerAccess {
    /** What a peer's layouts may take here, those of unfinished transfers included: both sides count alike. */
    static final long MOST_LAYOUT_BYTES = 64 << 20;

    /** What a layout counts besides its pieces. */
    private static final long LAYOUT_BYTES = 128;

    private final Where where;
    private final RegionDirectory regions;
    private final Map<Integer, RemoteLayout> layouts = new HashMap<>();
    private long layoutBytes;
    /** The one that was said last. */
    private int last;

    PeerAccess(Where where, RegionDirectory regions) {
        this.where = where;
        this.regions = regions;
    }

    /** Memory that the peer is let at, until its transfer ends. */
    static final class Access implements Completion {
        private final List<RemoteRegion> regions;
        private final RegionDirectory.Claim[] claims;
        private final Runnable end;
        final PieceMap map;

        private Access(List<RemoteRegion> regions, RegionDirectory.Claim[] claims, PieceMap map, Runnable end) {
            this.regions = regions;
            this.claims = claims;
            this.map = map;
            this.end = end;
        }

        @Override
        public void done(long startedAt) {
            release();
        }

        @Override
        public void failed(SluiceException why) {
            release();
        }

        /** Whether it is by this key. */
        boolean isBy(long keyHigh, long keyLow) {
            for (RemoteRegion r : regions) {
                if (r.keyHigh() == keyHigh && r.keyLow() == keyLow) {
                    return true;
                }
            }
            return false;
        }

        private void release() {
            PeerAccess.release(claims);
            end.run();
        }
    }

    /** What a layout counts: the same on both sides. */
    static long bytes(RemoteLayout layout) {
        return LAYOUT_BYTES
                + 16L * layout.regions().size()
                + 24L * Math.min(layout.pieces().count(), org.sluice.Pieces.MOST);
    }

    void layout(int number, RemoteLayout layout) {
        layoutBytes += bytes(layout);
        if (layoutBytes > MOST_LAYOUT_BYTES) {
            throw new ProtocolException(where, "the peer's layouts take more than " + MOST_LAYOUT_BYTES + " bytes");
        }
        last = number;
        if (layouts.put(number, layout) != null) {
            throw new ProtocolException(where, "the peer gave the number " + number + " to a second layout");
        }
    }

    /** Access to a range of a region; null, and {@code refusal} told, where there is none. */
    @Nullable Access range(RemoteRegion region, long offset, long length, boolean target, Refusal refusal) {
        if (offset < 0 || length < 0 || length > Long.MAX_VALUE - offset) {
            refusal.because(TransferRefusal.BOUNDS);
            return null;
        }
        return access(RemoteLayout.range(region, offset, length), length, target, refusal, () -> {});
    }

    /** Access to a layout that was said for this transfer. */
    @Nullable Access layout(int number, long length, boolean target, Refusal refusal) {
        RemoteLayout layout = layouts.remove(number);
        if (layout == null) {
            throw new ProtocolException(where, "the peer named layout " + number + ", which it has not said");
        }
        long bytes = bytes(layout);
        Access access = access(layout, length, target, refusal, () -> layoutBytes -= bytes);
        if (access == null) {
            layoutBytes -= bytes;
        }
        return access;
    }

    /** The layout that was said last, as memory of the peer's that is open here. @throws ProtocolException where it is not */
    PullSource source(long length, PulledMemory memory) {
        RemoteLayout layout = layouts.remove(last);
        if (layout == null) {
            throw new ProtocolException(where, "the peer says where a transfer's bytes lie, and has not said it");
        }
        MemoryBlock[] blocks = new MemoryBlock[layout.regions().size()];
        List<Integer> numbers = new ArrayList<>(blocks.length);
        for (int i = 0; i < blocks.length; i++) {
            RemoteRegion named = layout.regions().get(i);
            int number = (int) named.keyLow();
            MemoryBlock block = named.keyHigh() == 0 && number == named.keyLow() ? memory.open(number) : null;
            if (block == null) {
                throw new ProtocolException(
                        where, "the peer names block " + named.keyLow() + " of its memory, which is not open here");
            }
            blocks[i] = block;
            numbers.add(number);
        }
        if (layout.bytes() != length || PieceCheck.check(blocks, layout.pieces(), false) != null) {
            throw new ProtocolException(where, "the peer says that a transfer's bytes lie where it has no memory");
        }
        long bytes = bytes(layout);
        return new PullSource(PieceMap.of(blocks, layout.pieces()), memory, numbers, () -> layoutBytes -= bytes);
    }

    /** Told why not. */
    interface Refusal {
        void because(TransferRefusal why);
    }

    private @Nullable Access access(RemoteLayout layout, long length, boolean target, Refusal refusal, Runnable end) {
        List<RemoteRegion> named = layout.regions();
        RegionDirectory.Claim[] claims = new RegionDirectory.Claim[named.size()];
        MemoryBlock[] blocks = new MemoryBlock[named.size()];
        for (int i = 0; i < claims.length; i++) {
            RegionDirectory.Claim claim =
                    regions.claim(named.get(i).keyHigh(), named.get(i).keyLow());
            if (claim == null) {
                release(claims);
                refusal.because(TransferRefusal.KEY);
                return null;
            }
            claims[i] = claim;
            blocks[i] = claim.block();
            if (!claim.allows(target)) {
                release(claims);
                refusal.because(TransferRefusal.RIGHTS);
                return null;
            }
        }
        TransferRefusal why =
                layout.bytes() == length ? PieceCheck.check(blocks, layout.pieces(), target) : TransferRefusal.BOUNDS;
        if (why != null) {
            release(claims);
            refusal.because(why);
            return null;
        }
        return new Access(named, claims, PieceMap.of(blocks, layout.pieces()), end);
    }

    private static void release(RegionDirectory.@Nullable Claim[] claims) {
        for (RegionDirectory.Claim claim : claims) {
            if (claim != null) {
                claim.release();
            }
        }
    }
}
