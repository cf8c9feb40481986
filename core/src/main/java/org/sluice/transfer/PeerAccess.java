package org.sluice.transfer;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
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
    private final PeerLayouts kept;
    private long layoutBytes;
    /** The one that was said last. */
    private int last;

    PeerAccess(Where where, RegionDirectory regions) {
        this.where = where;
        this.regions = regions;
        this.kept = new PeerLayouts(where);
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
                + 24L * Math.min(layout.pieces().count(), Pieces.MOST);
    }

    /** What a selection of so many pieces counts. */
    static long bytes(int selected) {
        return LAYOUT_BYTES + 24L * selected;
    }

    void layout(int number, RemoteLayout layout) {
        if (kept.isExpected(number)) {
            kept.add(number, layout, memory(layout, (at, claim) -> true));
            return;
        }
        count(bytes(layout));
        last = number;
        if (kept.hasSelection(number) || layouts.put(number, layout) != null) {
            throw twice(number);
        }
    }

    private ProtocolException twice(int number) {
        return new ProtocolException(where, "the peer gave the number " + number + " to a second layout");
    }

    private void count(long bytes) {
        layoutBytes += bytes;
        if (layoutBytes > MOST_LAYOUT_BYTES) {
            throw new ProtocolException(where, "the peer's layouts take more than " + MOST_LAYOUT_BYTES + " bytes");
        }
    }

    void prepare(int number) {
        if (layouts.containsKey(number) || kept.hasSelection(number)) {
            throw twice(number);
        }
        kept.expect(number);
    }

    void releasePrepared(int number) {
        kept.release(number);
    }

    void selection(int number, int prepared, int total, IntBuffer indices) {
        if (!kept.hasSelection(number)) {
            if (layouts.containsKey(number)) {
                throw twice(number);
            }
            if (total < 0 || total > Pieces.MOST) {
                throw new ProtocolException(where, "the peer selected " + total + " pieces of a prepared layout");
            }
            count(bytes(total));
            kept.begin(number, prepared, total);
        }
        kept.more(number, prepared, total, indices);
    }

    /** Access to a range of a region; null, and {@code refusal} told, where there is none. */
    @Nullable Access range(RemoteRegion region, long offset, long length, boolean target, Refusal refusal) {
        if (offset < 0 || length < 0 || length > Long.MAX_VALUE - offset) {
            refusal.because(TransferRefusal.BOUNDS);
            return null;
        }
        return access(RemoteLayout.range(region, offset, length), length, target, refusal, () -> {});
    }

    /** Access to a layout, or to a selection of a prepared one, that was said for this transfer. */
    @Nullable Access layout(int number, long length, boolean target, Refusal refusal) {
        PeerLayouts.Selection selection = kept.takeSelection(number);
        if (selection != null) {
            return selected(selection, length, target, refusal);
        }
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

    private @Nullable Access selected(PeerLayouts.Selection selection, long length, boolean target, Refusal refusal) {
        PeerLayouts.Prepared prepared = selection.of();
        SelectedPieces pieces = selection.pieces();
        long bytes = bytes(selection.total());
        Runnable end = () -> {
            layoutBytes -= bytes;
            if (pieces != null) {
                pieces.release();
            }
            kept.ended(prepared);
        };
        PreparedPieces memory = prepared.pieces();
        TransferRefusal why = pieces == null || memory == null ? prepared.refusal() : pieces.finish(memory, target);
        if (why == null && pieces != null && pieces.map().length() != length) {
            why = TransferRefusal.BOUNDS;
        }
        Access access = null;
        if (why != null || pieces == null) {
            refusal.because(why == null ? TransferRefusal.BOUNDS : why);
        } else {
            access = access(prepared, pieces.map(), target, refusal, end);
        }
        if (access == null) {
            end.run();
        }
        return access;
    }

    /** Access to all of a prepared layout. */
    @Nullable Access prepared(int number, long length, boolean target, Refusal refusal) {
        PeerLayouts.Prepared prepared = kept.use(number);
        PreparedPieces pieces = prepared.pieces();
        TransferRefusal why = pieces == null ? prepared.refusal() : pieces.check(target);
        if (why == null && pieces != null && pieces.whole().length() != length) {
            why = TransferRefusal.BOUNDS;
        }
        Access access = null;
        if (why != null || pieces == null) {
            refusal.because(why == null ? TransferRefusal.BOUNDS : why);
        } else {
            access = access(prepared, pieces.whole(), target, refusal, () -> kept.ended(prepared));
        }
        if (access == null) {
            kept.ended(prepared);
        }
        return access;
    }

    /** Told why not. */
    interface Refusal {
        void because(TransferRefusal why);
    }

    /** Looks at each region that is taken hold of. @return false where it is not to be had */
    private interface Look {
        boolean at(int region, RegionDirectory.Claim claim);
    }

    /** The memory of a layout's regions as they are now, which is not held; null where one is not there. */
    private MemoryBlock @Nullable [] memory(RemoteLayout layout, Look look) {
        RegionDirectory.Claim[] claims = claims(layout.regions(), look, why -> {});
        if (claims == null) {
            return null;
        }
        MemoryBlock[] blocks = blocks(claims);
        release(claims);
        return blocks;
    }

    private static MemoryBlock[] blocks(RegionDirectory.Claim[] claims) {
        MemoryBlock[] blocks = new MemoryBlock[claims.length];
        for (int i = 0; i < claims.length; i++) {
            blocks[i] = claims[i].block();
        }
        return blocks;
    }

    /** Takes hold of regions. @return null, and {@code refusal} told, where one is not there or not to be had */
    private RegionDirectory.Claim @Nullable [] claims(List<RemoteRegion> named, Look look, Refusal refusal) {
        RegionDirectory.Claim[] claims = new RegionDirectory.Claim[named.size()];
        for (int i = 0; i < claims.length; i++) {
            RegionDirectory.Claim claim =
                    regions.claim(named.get(i).keyHigh(), named.get(i).keyLow());
            if (claim != null) {
                claims[i] = claim;
            }
            if (claim == null || !look.at(i, claim)) {
                release(claims);
                refusal.because(claim == null ? TransferRefusal.KEY : TransferRefusal.RIGHTS);
                return null;
            }
        }
        return claims;
    }

    private @Nullable Access access(RemoteLayout layout, long length, boolean target, Refusal refusal, Runnable end) {
        RegionDirectory.Claim[] claims = claims(layout.regions(), (i, claim) -> claim.allows(target), refusal);
        if (claims == null) {
            return null;
        }
        MemoryBlock[] blocks = blocks(claims);
        TransferRefusal why =
                layout.bytes() == length ? PieceCheck.check(blocks, layout.pieces(), target) : TransferRefusal.BOUNDS;
        if (why != null) {
            release(claims);
            refusal.because(why);
            return null;
        }
        return new Access(layout.regions(), claims, PieceMap.of(blocks, layout.pieces()), end);
    }

    /** To what was checked when it was prepared: the regions must be those that they were then. */
    private @Nullable Access access(
            PeerLayouts.Prepared prepared, PieceMap map, boolean target, Refusal refusal, Runnable end) {
        boolean[] allowed = {true};
        Look look = (i, claim) -> {
            allowed[0] = claim.allows(target);
            return allowed[0] && prepared.isOf(i, claim.block());
        };
        Refusal other = why -> refusal.because(allowed[0] ? TransferRefusal.WITHDRAWN : TransferRefusal.RIGHTS);
        RegionDirectory.Claim[] claims = claims(prepared.layout().regions(), look, other);
        return claims == null ? null : new Access(prepared.layout().regions(), claims, map, end);
    }

    private static void release(RegionDirectory.@Nullable Claim[] claims) {
        for (RegionDirectory.Claim claim : claims) {
            if (claim != null) {
                claim.release();
            }
        }
    }
}
