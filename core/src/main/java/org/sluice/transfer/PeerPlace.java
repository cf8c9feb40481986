package org.sluice.transfer;

import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;

/** Where the bytes of a one-sided transfer lie at the peer, and how the peer is told. Belongs to the agent once it is posted. */
public sealed interface PeerPlace {
    /** A layout of its regions, which is said for this transfer alone where it is not a range. */
    record Listed(RemoteLayout layout) implements PeerPlace {}

    /** All of what was prepared. */
    record Whole(PreparedPlace of) implements PeerPlace {}

    /** Some pieces of what was prepared. */
    record Part(PreparedPlace of, SelectedPieces selected) implements PeerPlace {}

    /** In the place of a region's key where a number names them: a list without pieces names none at all. */
    RemoteRegion NO_REGION = new RemoteRegion(0, 0, 0);
}
