package org.sluice.rendezvous;

import java.util.List;

/** What rank 0 makes of what all ranks have said. */
@FunctionalInterface
public interface Chair {
    /**
     * Called once for each step, when the last rank has said its word, on a thread of the meeting place's; may take its time.
     *
     * @param step from 0
     * @param words by rank, up to {@link Group#MOST_WORD_BYTES} each
     * @return what all ranks are answered, no longer
     * @throws org.sluice.SluiceException to end the group; all ranks are told why
     */
    byte[] conclude(int step, List<byte[]> words);
}
