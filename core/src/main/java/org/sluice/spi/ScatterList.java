package org.sluice.spi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

    private static final int INDEX_BITS = Integer.numberOfTrailingZeros(MAX_DESCRIPTORS);

    private MemorySegment descriptors = MemorySegment.NULL;
    private final long[] byDestination = new long[MAX_DESCRIPTORS];
    private int count;
    private long bounceBuffer;
    private long bounceBytes;
    private long longest;

    /** An empty list; {@link #set} points it somewhere. */
    public ScatterList() {}

    /**
     * Points the view at another chunk's descriptors.
     *
     * @param descriptors host memory of at least {@code count} descriptors
     * @param bounceBuffer device address that source offsets are relative to
     * @param bounceBytes its length, or {@link Long#MAX_VALUE} where the plugin does not tell
     */
    public void set(MemorySegment descriptors, int count, long bounceBuffer, long bounceBytes) {
        this.descriptors = descriptors;
        this.count = count;
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
        long sum = 0;
        long most = 0;
        boolean inOrder = true;
        for (int i = 0; i < count; i++) {
            long length = length(i);
            long destination = destinationOffset(i);
            long source = sourceOffset(i);
            if (destination < 0 || destination > bytes - length) {
                throw new TransportException("unpack descriptor " + i + " writes " + length + " bytes at offset "
                        + Long.toUnsignedString(destination) + " of a chunk of " + bytes);
            }
            if (source > bounceBytes - length) {
                throw new TransportException("unpack descriptor " + i + " reads " + length + " bytes at offset "
                        + source + " of a bounce buffer of " + bounceBytes);
            }
            inOrder &= destination == sum;
            sum += length;
            most = Math.max(most, length);
        }
        if (sum != bytes) {
            throw new TransportException("unpack list carries " + sum + " bytes, the chunk has " + bytes);
        }
        if (!inOrder) {
            checkNoOverlap();
        }
        longest = most;
    }

    /** As many bytes as the chunk has, none outside it and none twice: then every byte is written. Allocates nothing. */
    private void checkNoOverlap() throws TransportException {
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
                throw new TransportException("unpack descriptor " + i + " writes at offset " + destinationOffset(i)
                        + " of the chunk, where another does already");
            }
            at = destinationOffset(i) + length(i);
        }
    }
}
