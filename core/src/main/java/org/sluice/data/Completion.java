package org.sluice.data;

import org.sluice.SluiceException;

/** Told once how a transfer ended, on the agent thread. */
public interface Completion {
    /** The last byte is in its destination and visible to the GPU. @param startedAt, endedAt {@link System#nanoTime} */
    void done(long startedAt, long endedAt);

    void failed(SluiceException why);

    /** For transfers that the peer asked for, which nobody here waits for. */
    Completion NOBODY = new Completion() {
        @Override
        public void done(long startedAt, long endedAt) {}

        @Override
        public void failed(SluiceException why) {}
    };
}
