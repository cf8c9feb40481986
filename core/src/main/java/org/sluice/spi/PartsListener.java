package org.sluice.spi;

import java.util.List;

/** Hears of a connection over which two processes hand each other parts of memory. Called on the transport's thread, in order. */
public interface PartsListener {
    /** The peer is there, and is who it has to be: a process of the same user that knows the door's secret. */
    void connected(PartsConnection connection);

    /**
     * A block came.
     *
     * @param label as the peer gave it, foreign bytes: at most {@link PartsConnection#MOST_LABEL_BYTES}
     * @param parts the listener's from now on, with their descriptors
     */
    void received(byte[] label, List<SharedPart> parts);

    /** The connection is over, or there never was one; nothing is heard of it after this. @param why one sentence */
    void broken(String why);
}
