package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;

/** The layouts of the peer's regions that this side has said, and what they take there. Belongs to the agent. */
final class SaidLayouts {
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
        return hasRoom(layout, null);
    }

    /** Whether both may be said. */
    boolean hasRoom(@Nullable RemoteLayout layout, @Nullable RemoteLayout source) {
        long both = takes(layout) + takes(source);
        return both == 0 || bytes + both <= PeerAccess.MOST_LAYOUT_BYTES;
    }

    private static long takes(@Nullable RemoteLayout layout) {
        return layout == null || !isSaid(layout) ? 0 : PeerAccess.bytes(layout);
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
