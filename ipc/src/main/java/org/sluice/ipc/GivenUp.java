package org.sluice.ipc;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.sluice.linux.Descriptor;
import org.sluice.linux.FileMapping;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;

/**
 * A word that one process writes and another reads, in memory of both: whether the writer still vouches for its memory. A process that is
 * stopped in the middle of a copy may go on long after the owner has given the memory to somebody else; no message could tell it in time.
 */
@SuppressWarnings("restricted")
final class GivenUp implements AutoCloseable {
    private static final int BYTES = 4096;

    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

    private final FileMapping page;

    private GivenUp(FileMapping page) {
        this.page = page;
    }

    /** A new word and the descriptor for the other side. */
    record Own(GivenUp word, Descriptor descriptor) {}

    static Own make() throws LinuxException {
        Descriptor memory = Memfd.sealed("sluice-ipc", BYTES);
        try {
            return new Own(new GivenUp(FileMapping.of(memory, 0, BYTES)), memory);
        } catch (LinuxException | RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    /** The other side's. Takes the descriptor. @throws LinuxException when it is not what {@link #make} makes */
    static GivenUp of(Descriptor memory) throws LinuxException {
        try (memory) {
            if ((memory.seals() & Descriptor.SEAL_SHRINK) == 0 || memory.size() < BYTES) {
                throw new LinuxException("the peer's word is not in sealed memory", IpcConnection.NOT_PERMITTED);
            }
            return new GivenUp(FileMapping.of(memory, 0, BYTES));
        }
    }

    /** What this thread does next comes after it, for whoever looks. */
    void set() {
        WORD.setRelease(page.segment(), 0L, 1);
        VarHandle.fullFence();
    }

    /** What this thread has read before, it has read before this. */
    boolean isSet() {
        VarHandle.loadLoadFence();
        return (int) WORD.getAcquire(page.segment(), 0L) != 0;
    }

    @Override
    public void close() {
        page.close();
    }
}
