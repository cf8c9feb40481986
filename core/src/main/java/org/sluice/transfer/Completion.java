package org.sluice.transfer;

import org.sluice.SluiceException;

/** Told once how a transfer ended, on the agent thread: from then on nothing reads or writes its memory for it. */
public interface Completion {
    /** The last byte is in its destination and visible to the GPU. @param startedAt {@link System#nanoTime} */
    void done(long startedAt);

    void failed(SluiceException why);
}
