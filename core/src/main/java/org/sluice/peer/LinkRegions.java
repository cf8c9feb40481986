package org.sluice.peer;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sluice.RemoteRegion;
import org.sluice.transfer.RegionDirectory;

/** The regions that the peer of one link may name: those of the GPU, without what was withdrawn on this link. Belongs to the agent. */
final class LinkRegions implements RegionDirectory {
    private final RegionDirectory all;
    private final Set<Key> withdrawn = new HashSet<>();

    private record Key(long high, long low) {}

    LinkRegions(RegionDirectory all) {
        this.all = all;
    }

    @Override
    public @Nullable Claim claim(long keyHigh, long keyLow) {
        return withdrawn.isEmpty() || !withdrawn.contains(new Key(keyHigh, keyLow)) ? all.claim(keyHigh, keyLow) : null;
    }

    void withdraw(RemoteRegion region) {
        withdrawn.add(new Key(region.keyHigh(), region.keyLow()));
    }

    void allow(RemoteRegion region) {
        withdrawn.remove(new Key(region.keyHigh(), region.keyLow()));
    }
}
