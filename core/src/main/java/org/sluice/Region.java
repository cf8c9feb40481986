package org.sluice;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.data.MemoryBlock;

/**
 * Memory of one GPU that transfers move bytes from and to. Peers name it by an unguessable key, never by address.
 *
 * <p>Any thread may use it. It must not be closed while transfers use it, and its bytes are the transfer's while one does.
 */
public final class Region implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Node node;
    private final int gpu;
    private final MemoryBlock block;
    private final RemoteRegion key;
    private final AtomicInteger uses = new AtomicInteger();
    private volatile boolean open = true;

    Region(Node node, int gpu, MemoryBlock block) {
        this.node = node;
        this.gpu = gpu;
        this.block = block;
        this.key = new RemoteRegion(
                RANDOM.nextLong(), RANDOM.nextLong(), block.memory().size());
    }

    public int gpu() {
        return gpu;
    }

    /** Bytes. */
    public long size() {
        return block.memory().size();
    }

    /** First byte: a device address on a CUDA GPU. For other libraries, and for logs. */
    public long address() {
        return block.memory().address();
    }

    /** The bytes themselves, on a host GPU; empty on a CUDA GPU, see {@link #write} and {@link #read}. */
    public Optional<MemorySegment> segment() {
        return block.memory().host();
    }

    /** What a peer needs to {@linkplain Link#write write} here or {@linkplain Link#read read} from here. Keep it from others. */
    public RemoteRegion remoteKey() {
        return key;
    }

    /** Copies host bytes in, and waits. Convenient, not fast. */
    public void write(long offset, MemorySegment source) {
        check(offset, source.byteSize());
        node.onAgent(gpu, g -> g.write(block.memory(), offset, source));
    }

    /** Copies bytes out to the host, and waits. */
    public void read(long offset, MemorySegment target) {
        check(offset, target.byteSize());
        node.onAgent(gpu, g -> g.read(block.memory(), offset, target));
    }

    /** Fills {@code [offset, offset + bytes)} with a checkable pattern, on the GPU. @param offset a multiple of 8 */
    public void fill(long offset, long bytes, long seed) {
        check(offset, bytes);
        node.onGpu(gpu, g -> g.fill(block.memory(), offset, bytes, seed));
    }

    /** Compares with what {@link #fill} wrote at the same offset. @return offset of the first wrong byte, or -1 */
    public long mismatch(long offset, long bytes, long seed) {
        check(offset, bytes);
        long[] result = new long[1];
        node.onGpu(gpu, g -> result[0] = g.mismatch(block.memory(), offset, bytes, seed));
        return result[0];
    }

    MemoryBlock block() {
        return block;
    }

    void check(long offset, long length) {
        if (!open) {
            throw new IllegalStateException("the region is closed");
        }
        if (offset < 0 || length < 0 || length > size() - offset) {
            throw new IndexOutOfBoundsException(
                    "offset " + offset + " and length " + length + " are not inside a region of " + size() + " bytes");
        }
    }

    void use() {
        uses.incrementAndGet();
    }

    void release() {
        uses.decrementAndGet();
    }

    /** Frees the memory. Idempotent. @throws IllegalStateException while transfers use it */
    @Override
    public void close() {
        if (uses.get() > 0 && open) {
            throw new IllegalStateException(uses.get() + " transfers still use the region");
        }
        if (open) {
            open = false;
            node.free(this);
        }
    }
}
