package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.sluice.UnpackMode;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/** Chunks cut into fragments that lie in a bounce buffer in random order, each at its own alignment; unpacked and compared. */
final class ScatterCase {
    private static final int LISTS = 40;
    private static final long LIST_BYTES = 2048 * 16;

    private ScatterCase() {}

    /**
     * @param chunkBytes of each chunk
     * @param longest fragment; where the chunk allows it they are of random length up to it, unless {@code shift} is 0 and all are
     *     of this length
     * @param shift what fragments are off their 16-byte places by, in the bounce buffer
     */
    static void check(Gpu gpu, UnpackMode mode, int chunks, int chunkBytes, int longest, int shift, long seed) {
        check(gpu, mode, chunks, chunkBytes, longest, shift, seed, false);
        check(gpu, mode, chunks, chunkBytes, longest, shift, seed, true);
    }

    /** @param pinned the lists lie in page-locked memory, as a plugin's do, and are written over once their chunk is done */
    static void check(
            Gpu gpu, UnpackMode mode, int chunks, int chunkBytes, int longest, int shift, long seed, boolean pinned) {
        Random random = new Random(seed);
        int stride = chunkBytes + 2048 * 16 + 64 * (chunkBytes / longest + 1);
        byte[] bounce = new byte[stride];
        random.nextBytes(bounce);
        try (Arena arena = Arena.ofConfined();
                GpuMemory source = gpu.allocate(stride);
                GpuMemory target = gpu.allocate((long) chunks * chunkBytes + 32);
                GpuMemory locked = gpu.allocatePinned(LISTS * LIST_BYTES);
                UnpackQueue queue = gpu.unpackQueue(mode, 64)) {
            gpu.write(source, 0, MemorySegment.ofArray(bounce));
            byte[] expected = new byte[chunks * chunkBytes + 32];
            random.nextBytes(expected);
            gpu.write(target, 0, MemorySegment.ofArray(expected));
            int margin = shift; // destinations begin anywhere too, and the bytes around them must stay
            ScatterList list = new ScatterList();
            for (int c = 0; c < chunks; c++) {
                long place = c % LISTS * LIST_BYTES;
                MemorySegment descriptors = pinned
                        ? locked.host().orElseThrow().asSlice(place, LIST_BYTES)
                        : arena.allocate(LIST_BYTES, 16);
                if (pinned && c >= LISTS) {
                    // the last chunk with a list here has to be done before it is written over
                    queue.flush();
                    await(queue, c + 1 - LISTS);
                }
                int count = scatter(random, descriptors, chunkBytes, longest, shift);
                list.set(descriptors, count, pinned ? locked.address() + place : 0, source.address(), stride);
                list.check(chunkBytes);
                int at = margin + c * chunkBytes;
                for (int i = 0; i < count; i++) {
                    System.arraycopy(
                            bounce, (int) list.sourceOffset(i), expected, at + (int) list.destinationOffset(i), (int)
                                    list.length(i));
                }
                long ticket = queue.enqueue(list, target.address() + at, chunkBytes);
                assertThat(ticket).isEqualTo(c + 1);
                if (random.nextInt(5) == 0) {
                    queue.flush();
                }
                if (c >= 60) {
                    queue.flush();
                    await(queue, c - 40);
                }
            }
            queue.flush();
            await(queue, chunks);
            byte[] got = new byte[expected.length];
            gpu.read(target, 0, MemorySegment.ofArray(got));
            assertThat(MemorySegment.ofArray(got).mismatch(MemorySegment.ofArray(expected)))
                    .as("first wrong byte, " + mode + ", shift " + shift)
                    .isEqualTo(-1);
        } catch (TransportException e) {
            throw new AssertionError(e);
        }
    }

    private static int scatter(Random random, MemorySegment descriptors, int chunkBytes, int longest, int shift) {
        List<int[]> fragments = new ArrayList<>(); // source, length, destination
        int source = 0;
        for (int done = 0; done < chunkBytes; ) {
            int left = chunkBytes - done;
            boolean even = shift == 0 || (2047L - fragments.size()) * longest < left + longest;
            int n = Math.min(left, even ? longest : 1 + random.nextInt(longest));
            fragments.add(new int[] {source + shift, n, done});
            source += (n + shift + 15) & -16;
            done += n;
        }
        Collections.shuffle(fragments, random);
        for (int i = 0; i < fragments.size(); i++) {
            int[] f = fragments.get(i);
            descriptors.set(ValueLayout.JAVA_INT, i * 16L, f[0]);
            descriptors.set(ValueLayout.JAVA_INT, i * 16L + 4, f[1]);
            descriptors.set(ValueLayout.JAVA_LONG, i * 16L + 8, f[2]);
        }
        return fragments.size();
    }

    private static void await(UnpackQueue q, long ticket) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (q.completed() < ticket) {
            assertThat(System.nanoTime()).as("20 s have passed").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
