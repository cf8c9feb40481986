package org.sluice.peer;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/**
 * A small block by which two processes find out whether one can copy from the other's GPU: nothing that drivers say in advance is
 * believed.
 */
final class SharingProbe implements AutoCloseable {
    /** What is compared. */
    static final int BYTES = 64;

    private static final int BLOCK_BYTES = 4096;
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(4);
    private static final SecureRandom RANDOM = new SecureRandom();

    private final byte[] expected = new byte[BYTES];
    private final GpuMemory block;
    private final MemorySharing sharing;

    /** @throws GpuException when the GPU has no memory for it */
    SharingProbe(Gpu gpu, MemorySharing sharing) {
        this.sharing = sharing;
        RANDOM.nextBytes(expected);
        this.block = sharing.allocate(BLOCK_BYTES);
        gpu.write(block, 0, MemorySegment.ofArray(expected));
    }

    /** What is in it. */
    byte[] expected() {
        return expected;
    }

    List<SharedPart> parts() {
        return sharing.export(block);
    }

    @Override
    public void close() {
        block.close();
    }

    /** Copies from a peer's probe and compares. @return why that does not work; empty where it does */
    static String check(Gpu gpu, MemorySharing sharing, PeerMemory peer, byte[] expected, List<SharedPart> parts) {
        try (GpuMemory theirs = peer.open(parts);
                GpuMemory mine = gpu.allocate(BLOCK_BYTES)) {
            if (theirs.size() < BYTES) {
                return "what the peer shared is too short";
            }
            gpu.write(mine, 0, MemorySegment.ofArray(new byte[BYTES]));
            copy(sharing, mine.address(), theirs.address());
            byte[] found = new byte[BYTES];
            gpu.read(mine, 0, MemorySegment.ofArray(found));
            return Arrays.equals(found, expected) ? "" : "a copy of the peer's memory has other bytes";
        } catch (GpuException | IllegalStateException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void copy(MemorySharing sharing, long to, long from) {
        try (CopyQueue queue = sharing.copyQueue(1)) {
            long ticket = queue.enqueue(to, from, BYTES);
            long end = System.nanoTime() + LIMIT_NANOS;
            while (queue.completed() < ticket) {
                if (System.nanoTime() - end > 0) {
                    throw new GpuException("a copy of the peer's memory takes longer than 4 s", 0);
                }
                Thread.onSpinWait();
            }
        }
    }
}
