package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;

/** The layouts of the peer's regions that this side has said, and what they take there. Belongs to the agent. */
final class SaidLayouts {
    /** In the place of a region's key where a layout names them: a list without pieces names none at all. */
    static final RemoteRegion NO_REGION = new RemoteRegion(0, 0, 0);

    private final LinkControl control;
    private int numbers;
    private long bytes;

    SaidLayouts(LinkControl control) {
        this.control = control;
    }

    /** Whether the peer has to be told where a transfer goes before the transfer itself. */
    static boolean isSaid(RemoteLayout layout) {
        return !(layout.pieces() instanceof Pieces.Range);
    }

    boolean hasRoom(@Nullable RemoteLayout layout) {
        return layout == null || !isSaid(layout) || bytes + PeerAccess.bytes(layout) <= PeerAccess.MOST_LAYOUT_BYTES;
    }

    /** Says it. @return its number */
    int say(RemoteLayout layout) {
        bytes += PeerAccess.bytes(layout);
        control.layout(numbers, layout);
        return numbers++;
    }

    /** The transfer that it was for has ended. */
    void ended(@Nullable RemoteLayout layout) {
        if (layout != null && isSaid(layout)) {
            bytes -= PeerAccess.bytes(layout);
        }
    }
}
