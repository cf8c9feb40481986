package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.RemoteLayout;
import org.sluice.SluiceException;

/** A layout of the peer's regions that it is told once: this side's view of it. Belongs to the agent. */
public final class PreparedPlace {
    final RemoteLayout layout;

    /** Its number on the wire, once it was said. */
    int number = -1;

    /** Transfers that have been posted with it and not ended. */
    int users;

    boolean closed;

    /** Why it was not said. */
    @Nullable SluiceException refused;

    public PreparedPlace(RemoteLayout layout) {
        this.layout = layout;
    }
}
