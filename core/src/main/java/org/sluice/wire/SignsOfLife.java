package org.sluice.wire;

import java.io.IOException;

/** A connection by which two processes know that the other is there. Any thread; times by {@link System#nanoTime}. */
public interface SignsOfLife {
    /** When the peer was heard last. */
    long readAt();

    /** When something was said last. */
    long writtenAt();

    /** Says that this process lives, and asks the peer whether it does, where nothing else was said for so long. */
    void beat(long now, long silentNanos) throws IOException;
}
