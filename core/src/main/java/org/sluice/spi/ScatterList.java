package org.sluice.spi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Where the pieces of a received chunk lie: a list of 16-byte descriptors {@code {u32 sourceOffset, u32 length, u64
 * destinationOffset}} relative to a bounce buffer, as TCPX writes them. A mutable view that a channel reuses for each chunk:
 * read it before the next {@code test}. The descriptors are foreign bytes; {@link #check} must pass before anybody uses them.
 */
public final class ScatterList {
    /** Bytes of one descriptor. Source: {@code loadMeta} of the TCPX device handle (NCCL_NET_DEVICE_UNPACK version 7). */
    public static final int DESCRIPTOR_BYTES = 16;

    /** Most descriptors of one chunk. Source: NET_UNPACK_MAX_SLICE / page, doubled for slack, in the same layout. */
    public static final int MAX_DESCRIPTORS = 2048;

    /** Either half of a descriptor, as the x86-64 and ARM64 hosts that plugins run on write it. */
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** No descriptor reads beyond: offset and length have 32 bits each. */
    private static final long MOST_SOURCE = 1L << 33;

    /** Places of {@link #checkNoOverlap}: enough for 4 MiB in pieces of 1 KiB and more. */
    private static final int PLACES = 4096;

    private static final short NOBODY = -1;
    private static final int INDEX_BITS = Integer.numberOfTrailingZeros(MAX_DESCRIPTORS);

    private MemorySegment descriptors = MemorySegment.NULL;
    private final short[] places = new short[PLACES];
    private final long[] byDestination = new long[MAX_DESCRIPTORS];
    private int count;
    private long descriptorsOnGpu;
    private long bounceBuffer;
    private long bounceBytes;
    private long longest;

    /** An empty list; {@link #set} points it somewhere. */
    public ScatterList() {}

    /**
     * Points the view at another chunk's descriptors.
     *
     * @param descriptors host memory of at least {@code count} descriptors
     * @param descriptorsOnGpu where kernels of the GPU read the same memory, or 0 where they cannot: it is not page-locked
     * @param bounceBuffer device address that source offsets are relative to
     * @param bounceBytes its length, or {@link Long#MAX_VALUE} where the plugin does not tell
     */
    public void set(MemorySegment descriptors, int count, long descriptorsOnGpu, long bounceBuffer, long bounceBytes) {
        this.descriptors = descriptors;
        this.count = count;
        this.descriptorsOnGpu = descriptorsOnGpu;
        this.bounceBuffer = bounceBuffer;
        this.bounceBytes = bounceBytes;
        this.longest = Long.MAX_VALUE;
    }

    public MemorySegment descriptors() {
        return descriptors;
    }

    public int count() {
        return count;
    }

    /** Where kernels of the GPU read the descriptors; 0 where they cannot. */
    public long descriptorsOnGpu() {
        return descriptorsOnGpu;
    }

    public long bounceBuffer() {
        return bounceBuffer;
    }

    public long sourceOffset(int i) {
        return Integer.toUnsignedLong(descriptors.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * DESCRIPTOR_BYTES));
    }

    public long length(int i) {
        return Integer.toUnsignedLong(descriptors.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * DESCRIPTOR_BYTES + 4));
    }

    public long destinationOffset(int i) {
        return descriptors.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) i * DESCRIPTOR_BYTES + 8);
    }

    /** Length of the longest piece, found by {@link #check} on its way; {@link Long#MAX_VALUE} before it. */
    public long longest() {
        return longest;
    }

    /**
     * Checks every bound of the list against a chunk of {@code bytes}.
     *
     * @throws TransportException naming the first descriptor that lies
     */
    public void check(long bytes) throws TransportException {
        if (count < 0 || count > MAX_DESCRIPTORS || (long) count * DESCRIPTOR_BYTES > descriptors.byteSize()) {
            throw new TransportException(
                    "unpack list has " + count + " descriptors, allowed are 0 to " + MAX_DESCRIPTORS);
        }
        // In order, each piece where the one before ends, and all of them the chunk: no bound is left to check.
        // One pass without a branch, over two words a descriptor.
        long sum = 0;
        long most = 0;
        long outOfOrder = 0;
        MemorySegment list = descriptors;
        for (int i = 0; i < count; i++) {
            long length = list.get(WORD, (long) i * DESCRIPTOR_BYTES) >>> 32;
            outOfOrder |= list.get(WORD, (long) i * DESCRIPTOR_BYTES + 8) ^ sum;
            sum += length;
            most = Math.max(most, length);
        }
        if (bounceBytes < MOST_SOURCE) {
            checkSources();
        }
        if (outOfOrder != 0) {
            checkDestinations(bytes);
        }
        if (sum != bytes) {
            throw new TransportException("unpack list carries " + sum + " bytes, the chunk has " + bytes);
        }
        if (outOfOrder != 0) {
            checkNoOverlap(bytes);
        }
        longest = most;
    }

    private void checkSources() throws TransportException {
        for (int i = 0; i < count; i++) {
            if (sourceOffset(i) > bounceBytes - length(i)) {
                throw new TransportException("unpack descriptor " + i + " reads " + length(i) + " bytes at offset "
                        + sourceOffset(i) + " of a bounce buffer of " + bounceBytes);
            }
        }
    }

    private void checkDestinations(long bytes) throws TransportException {
        for (int i = 0; i < count; i++) {
            long destination = destinationOffset(i);
            if (destination < 0 || destination > bytes - length(i)) {
                throw new TransportException("unpack descriptor " + i + " writes " + length(i) + " bytes at offset "
                        + Long.toUnsignedString(destination) + " of a chunk of " + bytes);
            }
        }
    }

    /**
     * As many bytes as the chunk has, none outside it and none twice: then every byte is written. Pieces that do not overlap begin
     * as far apart as the shortest is long, so that each has a place of its own; from place to place they have to follow on each
     * other. (The last piece of the chunk may be shorter: nothing begins behind it.) Allocates nothing.
     */
    private void checkNoOverlap(long bytes) throws TransportException {
        long shortest = bytes;
        for (int i = 0; i < count; i++) {
            long length = length(i);
            if (length > 0 && destinationOffset(i) + length < bytes) {
                shortest = Math.min(shortest, length);
            }
        }
        int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(shortest);
        if (bytes >>> shift >= PLACES) {
            checkNoOverlapBySorting();
            return;
        }
        int used = (int) (bytes >>> shift) + 1;
        Arrays.fill(places, 0, used, NOBODY);
        for (int i = 0; i < count; i++) {
            if (length(i) > 0) {
                int place = (int) (destinationOffset(i) >>> shift);
                if (places[place] != NOBODY) {
                    throw overlap(i);
                }
                places[place] = (short) i;
            }
        }
        long at = 0;
        for (int place = 0; place < used; place++) {
            int i = places[place];
            if (i != NOBODY) {
                if (destinationOffset(i) < at) {
                    throw overlap(i);
                }
                at = destinationOffset(i) + length(i);
            }
        }
    }

    private void checkNoOverlapBySorting() throws TransportException {
        int n = 0;
        for (int i = 0; i < count; i++) {
            if (length(i) > 0) {
                byDestination[n++] = (destinationOffset(i) << INDEX_BITS) | i;
            }
        }
        Arrays.sort(byDestination, 0, n);
        long at = 0;
        for (int k = 0; k < n; k++) {
            int i = (int) byDestination[k] & (MAX_DESCRIPTORS - 1);
            if (destinationOffset(i) < at) {
                throw overlap(i);
            }
            at = destinationOffset(i) + length(i);
        }
    }

    private TransportException overlap(int i) {
        return new TransportException("unpack descriptor " + i + " writes at offset " + destinationOffset(i)
                + " of the chunk, where another does already");
    }
}
