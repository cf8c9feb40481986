package org.sluice.engine;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Access;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.transfer.MemoryBlock;

/**
 * Memory of one GPU that transfers move bytes from and to. Peers name it by an unguessable key, never by address.
 *
 * <p>Any thread may use it. It must not be closed while transfers use it, and its bytes are the transfer's while one does.
 */
final class OwnedRegion implements Region {
    private static final Logger log = LoggerFactory.getLogger(OwnedRegion.class);
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int CLOSED = -1;

    private final NodeMemory memory;
    private final int gpu;
    private final MemoryBlock block;
    private final RemoteRegion key;
    private final boolean ofAnother;
    /** Who reads or writes it now, or {@link #CLOSED}: so that nobody begins while it is being freed. */
    private final AtomicInteger uses = new AtomicInteger();

    OwnedRegion(NodeMemory memory, int gpu, MemoryBlock block, RemoteRegion key, boolean ofAnother) {
        this.memory = memory;
        this.gpu = gpu;
        this.block = block;
        this.key = key;
        this.ofAnother = ofAnother;
    }

    /** A key that nobody can guess. */
    static RemoteRegion drawKey(long bytes) {
        return new RemoteRegion(RANDOM.nextLong(), RANDOM.nextLong(), bytes);
    }

    @Override
    public int gpu() {
        return gpu;
    }

    @Override
    public long size() {
        return block.memory().size();
    }

    @Override
    public long address() {
        return block.memory().address();
    }

    @Override
    public Optional<MemorySegment> segment() {
        return block.memory().host();
    }

    @Override
    public RemoteRegion remoteKey() {
        return key;
    }

    @Override
    public RemoteRegion share(Access access) {
        return memory.share(this, access);
    }

    @Override
    public void withdraw(RemoteRegion of, Duration atMost) {
        memory.withdraw(this, of, atMost);
    }

    @Override
    public void withdraw() {
        memory.withdraw(this);
    }

    @Override
    public void write(long offset, MemorySegment source) {
        check(offset, source.byteSize());
        using(() -> memory.onAgent(gpu, "a write of", source.byteSize(), g -> g.write(block.memory(), offset, source)));
    }

    @Override
    public void read(long offset, MemorySegment target) {
        check(offset, target.byteSize());
        using(() -> memory.onAgent(gpu, "a read of", target.byteSize(), g -> g.read(block.memory(), offset, target)));
    }

    @Override
    public void fill(long offset, long bytes, long seed) {
        check(offset, bytes);
        using(() -> memory.onGpu(gpu, g -> g.fill(block.memory(), offset, bytes, seed)));
    }

    @Override
    public long mismatch(long offset, long bytes, long seed) {
        check(offset, bytes);
        long[] result = new long[1];
        using(() -> memory.onGpu(gpu, g -> result[0] = g.mismatch(block.memory(), offset, bytes, seed)));
        return result[0];
    }

    /** @throws IllegalArgumentException for a region of another implementation */
    static OwnedRegion of(Region region) {
        if (region instanceof OwnedRegion own) {
            return own;
        }
        throw new IllegalArgumentException("not a region of this library: " + region);
    }

    /** Whether another process owns the memory. */
    boolean isOfAnother() {
        return ofAnother;
    }

    MemoryBlock block() {
        return block;
    }

    void check(long offset, long length) {
        if (offset < 0 || length < 0 || length > size() - offset) {
            throw new IndexOutOfBoundsException(
                    "offset " + offset + " and length " + length + " are not inside a region of " + size() + " bytes");
        }
    }

    private void using(Runnable access) {
        use();
        try {
            access.run();
        } finally {
            release();
        }
    }

    /** Keeps the memory until {@link #release}. @throws IllegalStateException when the region is closed */
    void use() {
        if (!tryUse()) {
            throw new IllegalStateException("the region is closed");
        }
    }

    boolean tryUse() {
        return uses.getAndUpdate(n -> n == CLOSED ? CLOSED : n + 1) != CLOSED;
    }

    boolean isUsed() {
        return uses.get() > 0;
    }

    void release() {
        uses.decrementAndGet();
    }

    @Override
    public void close() {
        awaitFree(beginClose());
    }

    /** @throws IllegalStateException while transfers use it */
    CompletableFuture<Void> beginClose() {
        int before = uses.compareAndExchange(0, CLOSED);
        if (before == 0) {
            return memory.free(this);
        }
        if (before != CLOSED) {
            throw new IllegalStateException(before + " transfers still use the region");
        }
        return CompletableFuture.completedFuture(null);
    }

    /** What an agent that hangs does not free is left, and the log says so. */
    static void awaitFree(CompletableFuture<Void> freeing) {
        try {
            Answers.get(freeing);
        } catch (LinkException e) {
            if (e.code() != ErrorCode.AGENT_HANGS) {
                throw e;
            }
            log.warn("a region is left: {}", e.getMessage());
        }
    }
}
