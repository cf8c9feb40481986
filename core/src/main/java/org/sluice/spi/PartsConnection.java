package org.sluice.spi;

import java.util.List;

/** A way to hand parts of memory to one other process of this host, and to receive its. Any thread may use it. */
public interface PartsConnection extends AutoCloseable {
    int MOST_LABEL_BYTES = 256;

    /**
     * Hands a block over: its parts in order, after what was handed over before. Takes the parts' descriptors: they are closed when they
     * are sent, or when they will not be.
     *
     * @param label what the peer gets with them
     */
    void send(byte[] label, List<SharedPart> parts);

    /** Who is at the other end, for messages: {@code process 4711}. */
    String peer();

    /**
     * Says, so that the peer sees it before anything that this thread does afterwards, that this side vouches for its memory no more: what
     * the peer has not finished copying by now may be anything.
     */
    void giveUp();

    /** Whether the peer has said so. What was copied out of its memory before this call, and is asked about after the copy, counts only if not. */
    boolean peerGaveUp();

    /** Idempotent. The listener hears nothing more. */
    @Override
    void close();
}
