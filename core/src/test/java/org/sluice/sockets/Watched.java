package org.sluice.sockets;

import java.nio.channels.SelectionKey;

/** A channel that a {@link MemorySelector} watches. */
interface Watched {
    /** What it is ready for now: a set of {@link SelectionKey}'s operations. */
    int ready();

    /** It was registered, with the only selector that it ever has. */
    void watchedBy(MemoryKey key);
}
