package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Fills device memory with the checkable pattern of {@code org.sluice.transfer.Pattern}, and compares with it, on the GPU. Waits. Any
 * thread may use it, one at a time does.
 */
final class PatternKernels implements AutoCloseable {
    private static final int THREADS = 256;

    /** Some blocks for every SM of the largest GPU; each thread strides over what is left. */
    private static final long MOST_BLOCKS = 2048;

    private static final int PARAMETERS = 5;

    private final CudaContext context;
    private final CudaKernels kernels;
    private final SyncCopies copies;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment values = arena.allocate(ValueLayout.JAVA_LONG, PARAMETERS);
    private final MemorySegment addresses = arena.allocate(ValueLayout.JAVA_LONG, PARAMETERS);
    private @Nullable Prepared prepared;

    PatternKernels(CudaContext context, CudaKernels kernels, SyncCopies copies) {
        this.context = context;
        this.kernels = kernels;
        this.copies = copies;
        for (int i = 0; i < PARAMETERS; i++) {
            addresses.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + i * 8L);
        }
    }

    /** What the first use makes: functions, a stream and the word that a compare answers in. */
    private record Prepared(long fill, long mismatch, CudaStream stream, DeviceMemory answer) {}

    /** @param offset of {@code address} in its block, a multiple of 8: where the pattern begins */
    synchronized void fill(long address, long offset, long bytes, long seed) {
        long firstWord = firstWord(offset);
        if (bytes > 0) {
            Prepared p = prepared();
            launch(p, p.fill(), address, firstWord, bytes, seed);
            p.stream().await("the fill of " + bytes + " bytes");
        }
    }

    /** The offset in the block of the first byte that differs, or -1. */
    synchronized long mismatch(long address, long offset, long bytes, long seed) {
        long firstWord = firstWord(offset);
        if (bytes == 0) {
            return -1;
        }
        Prepared p = prepared();
        MemorySegment answer = MemorySegment.ofArray(new long[] {-1}); // unsigned: none is the largest
        copies.write(p.answer().address(), answer);
        launch(p, p.mismatch(), address, firstWord, bytes, seed);
        p.stream().await("the comparison of " + bytes + " bytes");
        copies.read(p.answer().address(), answer);
        long first = answer.get(ValueLayout.JAVA_LONG, 0);
        return first == -1 ? -1 : offset + first;
    }

    private void launch(Prepared p, long function, long address, long firstWord, long bytes, long seed) {
        long[] all = {address, firstWord, bytes, seed, p.answer().address()};
        MemorySegment.copy(all, 0, values, ValueLayout.JAVA_LONG, 0, PARAMETERS);
        long words = (bytes + 7) / 8;
        int blocks = (int) Math.min(MOST_BLOCKS, (words + THREADS - 1) / THREADS);
        context.check(
                context.driver().launch(function, blocks, THREADS, p.stream().handle, addresses.address()),
                "cuLaunchKernel of a pattern kernel");
    }

    private Prepared prepared() {
        if (prepared == null) {
            prepared = new Prepared(
                    kernels.fill(),
                    kernels.mismatch(),
                    new CudaStream(context),
                    DeviceMemory.allocate(context, Long.BYTES));
        }
        return prepared;
    }

    private static long firstWord(long offset) {
        if ((offset & 7) != 0) {
            throw new IllegalArgumentException("pattern offset " + offset + " is not a multiple of 8");
        }
        return offset >>> 3;
    }

    @Override
    public synchronized void close() {
        if (prepared != null) {
            prepared.stream().close();
            prepared.answer().close();
            prepared = null;
        }
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
