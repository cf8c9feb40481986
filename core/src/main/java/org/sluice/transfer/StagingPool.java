package org.sluice.transfer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;

/**
 * The pinned host slots of one GPU in one direction, for transports that cannot take the GPU's memory: lent to whichever links have
 * chunks under way, never more than the bound however many links there are. What is to be sent and what is received have a pool each: with
 * one, two nodes that have lent all of it to receives would wait for each other.
 *
 * <p>Who finds no slot {@linkplain StagingShare#waits waits}, and what becomes free goes to who waits longest. With <i>k</i> peers at work
 * none has more than 1/(<i>k</i> + 1) of the slots, the half where it is alone, so that peers which never send what they were granted, or
 * never read, leave something to the others; two are each one's in any case. The slot that was used last is lent first: the copy
 * engine and the socket meet its bytes in the last-level cache.
 *
 * <p>All slots are of one size, what the first link needs. Belongs to the GPU's agent.
 */
public final class StagingPool implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(StagingPool.class);

    /** So many slots a pool has at least: chunks are smaller where the bound leaves no other choice. */
    static final int LEAST_SLOTS = 4;

    /** Copies that a queue takes are more than this. */
    private static final int MOST_SLOTS = 1024;

    /** What a peer may have however many there are: one slot is filled while the other is emptied. */
    private static final int OWN_SLOTS = 2;

    /** Slots that are pinned at once; registering each by itself would cost a plugin much. */
    private static final int EXTENT_SLOTS = 8;

    private static final long PAGE = 4096;

    private final Gpu gpu;
    private final Supplier<CopyQueue> queue;
    private final long boundBytes;
    private final List<GpuMemory> extents = new ArrayList<>();
    private final Map<Object, Peer> peers = new HashMap<>();
    private int[] free = {};
    private int freeCount;
    /** Slots that were ever lent, of those that there can be. */
    private int cut;

    private int slots;
    private long slotBytes;
    private int shares;
    /** Slots whose transport never came back from closing: nobody knows who writes there. */
    private int lost;

    private int busyPeers;
    private @Nullable StagingShare longestWaiting;
    private @Nullable StagingShare lastWaiting;

    /** What the links of one peer have. */
    static final class Peer {
        private int shares;
        int held;
        private int waiting;

        private boolean isBusy() {
            return held + waiting > 0;
        }
    }

    /**
     * @param queue the GPU's queue of copies in this direction, made at the first need
     * @param boundBytes most that is pinned
     */
    public StagingPool(Gpu gpu, Supplier<CopyQueue> queue, long boundBytes) {
        this.gpu = gpu;
        this.queue = queue;
        this.boundBytes = boundBytes;
    }

    /**
     * A link's part in the pool.
     *
     * @param link rung when a slot that it waits for is free
     * @param peer equal for all links of one peer
     * @param chunkBytes the longest chunk that the link wants; what it gets, {@link StagingShare#slotBytes} says
     * @param perChannel most slots of one of its channels
     * @throws GpuException when no memory can be pinned
     */
    public StagingShare share(Doorbell link, Object peer, long chunkBytes, int perChannel) {
        if (shares == 0 && lost == 0) {
            fit(chunkBytes);
        }
        if (extents.isEmpty()) {
            pin();
        }
        shares++;
        Peer known = peers.computeIfAbsent(peer, p -> new Peer());
        known.shares++;
        return new StagingShare(this, link, peer, known, queue.get(), perChannel);
    }

    /** Nobody uses it: the next decides how large slots are. */
    private void fit(long chunkBytes) {
        long most = Math.max(PAGE, boundBytes / LEAST_SLOTS / PAGE * PAGE);
        long wanted = Math.min(chunkBytes, most);
        if (wanted == slotBytes) {
            return;
        }
        freeExtents();
        slotBytes = wanted;
        slots = (int) Math.max(LEAST_SLOTS, Math.min(MOST_SLOTS, boundBytes / slotBytes));
        free = new int[slots];
    }

    /** One more extent. */
    private void pin() {
        int first = extents.size() * EXTENT_SLOTS;
        extents.add(gpu.allocatePinned(Math.min(EXTENT_SLOTS, slots - first) * slotBytes));
    }

    long slotBytes() {
        return slotBytes;
    }

    /** Whether it is this link's turn to have another slot, and there is one: a peek, since whoever asks may turn out to have nothing. */
    boolean mayTake(StagingShare asks) {
        int there = freeCount + slots - cut;
        int own = asks.peer.held;
        int most = mostOfAPeer();
        for (StagingShare w = longestWaiting; w != null && w != asks && there > 0; w = w.next) {
            if (w.peer.held < most) {
                there--;
                own += w.peer == asks.peer ? 1 : 0;
            }
        }
        return there > 0 && own < most && (freeCount > 0 || cutOne());
    }

    private int mostOfAPeer() {
        return Math.max(OWN_SLOTS, slots / (Math.max(1, busyPeers) + 1));
    }

    /** Lends a slot; {@link #mayTake} said so. */
    int take(StagingShare to) {
        int slot = free[--freeCount];
        stopsWaiting(to);
        boolean wasBusy = to.peer.isBusy();
        to.held++;
        to.peer.held++;
        counted(to.peer, wasBusy);
        if (longestWaiting != null) {
            ringWaiting(); // its peer may have its most now: then what is left is for the next in the row
        }
        return slot;
    }

    /** Makes one of those that were never lent free. @return whether there is one */
    private boolean cutOne() {
        if (cut == slots) {
            return false;
        }
        if (cut == extents.size() * EXTENT_SLOTS) {
            try {
                pin();
            } catch (GpuException e) {
                log.warn(
                        "GPU {}: {} MiB of pinned memory is all there is, the bound is {} MiB: {}",
                        gpu.id(),
                        (cut * slotBytes) >> 20,
                        boundBytes >> 20,
                        e.getMessage());
                slots = cut; // what there is serves all, as any bound does
                return false;
            }
        }
        free[freeCount++] = cut++;
        return true;
    }

    void giveBack(StagingShare by, int slot) {
        free[freeCount++] = slot;
        boolean wasBusy = by.peer.isBusy();
        by.held--;
        by.peer.held--;
        counted(by.peer, wasBusy);
        ringWaiting();
    }

    /** Has those turned whom the free slots are for, as {@link #mayTake} says it: each of them takes one, or stops to wait. */
    private void ringWaiting() {
        int there = freeCount + slots - cut;
        int most = mostOfAPeer();
        for (StagingShare w = longestWaiting; w != null && there > 0; w = w.next) {
            if (w.peer.held < most) {
                there--;
                w.link.ring();
            }
        }
    }

    private void counted(Peer peer, boolean wasBusy) {
        busyPeers += (peer.isBusy() ? 1 : 0) - (wasBusy ? 1 : 0);
    }

    void startsWaiting(StagingShare s) {
        if (s.waiting) {
            return;
        }
        boolean wasBusy = s.peer.isBusy();
        s.waiting = true;
        s.previous = lastWaiting;
        if (lastWaiting == null) {
            longestWaiting = s;
        } else {
            lastWaiting.next = s;
        }
        lastWaiting = s;
        s.peer.waiting++;
        counted(s.peer, wasBusy);
    }

    private void stopsWaiting(StagingShare s) {
        if (!s.waiting) {
            return;
        }
        boolean wasBusy = s.peer.isBusy();
        s.waiting = false;
        StagingShare before = s.previous;
        StagingShare after = s.next;
        if (before == null) {
            longestWaiting = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastWaiting = before;
        } else {
            after.previous = before;
        }
        s.previous = null;
        s.next = null;
        s.peer.waiting--;
        counted(s.peer, wasBusy);
    }

    /** It has nothing that needs a slot any more: what it was asked to take is the next one's. */
    void leavesRow(StagingShare s) {
        if (s.waiting) {
            stopsWaiting(s);
            ringWaiting();
        }
    }

    /** The link is over. What it holds still is its transport's for good. */
    void left(StagingShare s) {
        stopsWaiting(s);
        boolean wasBusy = s.peer.isBusy();
        lost += s.held;
        s.peer.held -= s.held;
        s.held = 0;
        counted(s.peer, wasBusy);
        shares--;
        if (--s.peer.shares == 0) {
            peers.remove(s.peerKey);
        }
        ringWaiting();
    }

    long address(int slot) {
        return extents.get(slot / EXTENT_SLOTS).address() + slot % EXTENT_SLOTS * slotBytes;
    }

    static int extentOf(int slot) {
        return slot / EXTENT_SLOTS;
    }

    GpuMemory extent(int number) {
        return extents.get(number);
    }

    /** Bytes that are pinned now. */
    long pinnedBytes() {
        return extents.stream().mapToLong(GpuMemory::size).sum();
    }

    private void freeExtents() {
        extents.forEach(GpuMemory::close);
        extents.clear();
        freeCount = 0;
        cut = 0;
    }

    /** Frees the memory, unless a transport may still use some of it. */
    @Override
    public void close() {
        if (lost > 0) {
            log.warn("GPU {}: {} pinned slots are left behind, whose channels have not closed", gpu.id(), lost);
            return;
        }
        freeExtents();
    }
}
