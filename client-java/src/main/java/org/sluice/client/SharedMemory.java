package org.sluice.client;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Memory that peers can reach by its key: host memory, mapped here as direct buffers that nothing may use once it is closed, or GPU memory
 * that the program allocated, which has none.
 */
public final class SharedMemory implements AutoCloseable {
    /** Most bytes of one buffer of {@link #buffers}: a buffer cannot have 2 GiB. */
    public static final long BUFFER_BYTES = 1L << 30;

    private final Memories home;
    private final RemoteKey key;
    private final @Nullable CudaAllocation device;
    private final long offset;
    private volatile int gpu;
    private volatile int number;
    private volatile List<MappedByteBuffer> mapped;

    SharedMemory(Memories home, int gpu, RemoteKey key, int number, List<MappedByteBuffer> mapped) {
        this.home = home;
        this.gpu = gpu;
        this.key = key;
        this.number = number;
        this.mapped = mapped;
        this.device = null;
        this.offset = 0;
    }

    /** A range of GPU memory. */
    SharedMemory(Memories home, RemoteKey key, CudaAllocation device, long offset) {
        this.home = home;
        this.key = key;
        this.device = device;
        this.offset = offset;
        this.mapped = List.of();
    }

    @Nullable CudaAllocation device() {
        return device;
    }

    long offset() {
        return offset;
    }

    /** Bytes. */
    public long size() {
        return key.bytes();
    }

    /** What others need to reach it. */
    public RemoteKey key() {
        return key;
    }

    /** All of it as one direct buffer, little-endian. @throws IllegalStateException where it is longer than {@link #BUFFER_BYTES} */
    public ByteBuffer buffer() {
        List<MappedByteBuffer> all = mapped;
        if (device != null) {
            throw new IllegalStateException("GPU memory has no buffer");
        }
        if (all.size() != 1) {
            throw new IllegalStateException("memory of " + size() + " bytes does not fit one buffer: use buffers()");
        }
        return all.get(0).duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** All of it in direct buffers of {@link #BUFFER_BYTES}, the last one shorter. Others after {@link SluiceClient#reopen}. */
    public List<ByteBuffer> buffers() {
        return mapped.stream()
                .map(b -> b.duplicate().order(ByteOrder.LITTLE_ENDIAN))
                .toList();
    }

    /** Gives every peer the key under a name. */
    public void share(String name) {
        home.share(this, name);
    }

    int number() {
        return number;
    }

    /** The daemon's number of the GPU whose links reach it: for {@link SluiceClient#connect}, here and at a peer. */
    public int gpu() {
        return gpu;
    }

    /** GPU memory at the daemon, or at another one. */
    void opened(int newNumber, int newGpu) {
        number = newNumber;
        gpu = newGpu;
    }

    /** The same memory at another daemon: its bytes go along. */
    void moved(int newNumber, List<MappedByteBuffer> fresh) {
        for (int i = 0; i < fresh.size(); i++) {
            fresh.get(i).duplicate().put(mapped.get(i).duplicate());
        }
        number = newNumber;
        mapped = fresh;
    }

    /** Takes it back, kills its key for ever, and waits for what still uses it. Idempotent. */
    @Override
    public void close() {
        home.free(this);
    }
}
