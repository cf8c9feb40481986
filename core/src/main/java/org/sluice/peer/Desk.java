package org.sluice.peer;

import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** Who takes those that come to a {@link Reception}. Called on the virtual thread of the one who came. */
interface Desk {
    /** Whether whoever connects is taken as it is, without a word (UCCL's format). */
    default boolean isBare() {
        return false;
    }

    /** A client that has proven itself and made its offer. @return why it is refused, null when it is taken */
    @Nullable String take(LinkRequest request);

    /**
     * A client that has proven itself and said who it is has left before it made its offer.
     *
     * @param gpu the local GPU whose port it came to
     * @param peer its address
     * @param why as it said, or as its connection ended
     */
    default void left(int gpu, String peer, String why) {}

    /** One that came to a bare door. @return whether it is taken */
    default boolean takeBare(int gpu, SocketChannel client) {
        return false;
    }
}
