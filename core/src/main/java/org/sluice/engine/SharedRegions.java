package org.sluice.engine;

import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.sluice.Access;
import org.sluice.RemoteRegion;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.RegionDirectory;

/** The regions of one GPU, by the keys that peers may name them by. Any thread may use it. */
final class SharedRegions implements RegionDirectory {
    private record Key(long high, long low) {}

    /** A key that was given out, and who is at its region by it now. */
    private record Shared(OwnedRegion region, Access access, AtomicInteger users) {}

    /** A region that a peer reads or writes. */
    private record Held(Shared shared) implements Claim {
        @Override
        public MemoryBlock block() {
            return shared.region.block();
        }

        @Override
        public boolean allows(boolean write) {
            return shared.access.allows(write);
        }

        @Override
        public void release() {
            shared.users.decrementAndGet();
            shared.region.release();
        }
    }

    /** A key that was taken back. */
    interface Withdrawn {
        /** Whether a peer that came by it is still at the region. */
        boolean isInUse();
    }

    private final Map<Key, Shared> byKey = new ConcurrentHashMap<>();
    private final BitSet numbers = new BitSet();

    @Override
    public @Nullable Claim claim(long keyHigh, long keyLow) {
        Shared s = byKey.get(new Key(keyHigh, keyLow));
        if (s == null || !s.region.tryUse()) {
            return null;
        }
        s.users.incrementAndGet();
        return new Held(s);
    }

    synchronized int takeNumber() {
        int n = numbers.nextClearBit(0);
        numbers.set(n);
        return n;
    }

    synchronized void giveNumber(int n) {
        numbers.clear(n);
    }

    private static Key key(RemoteRegion key) {
        return new Key(key.keyHigh(), key.keyLow());
    }

    /** @return false when another region has the key */
    boolean add(RemoteRegion key, OwnedRegion region, Access access) {
        return byKey.putIfAbsent(key(key), new Shared(region, access, new AtomicInteger())) == null;
    }

    /** Takes a key of a region back. */
    Withdrawn remove(RemoteRegion key, OwnedRegion region) {
        Shared s = byKey.get(key(key));
        if (s == null || s.region != region || !byKey.remove(key(key), s)) {
            return () -> false;
        }
        return () -> s.users.get() > 0;
    }

    /** Takes all keys of a region back. */
    void remove(OwnedRegion region) {
        byKey.values().removeIf(s -> s.region == region);
    }

    List<OwnedRegion> regions() {
        return byKey.values().stream().map(Shared::region).distinct().toList();
    }
}
