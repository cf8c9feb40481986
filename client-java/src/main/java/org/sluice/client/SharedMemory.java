package org.sluice.client;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.util.List;

/** Memory that peers can reach by its key, mapped here as direct buffers. Nothing may use the buffers once it is closed. */
public final class SharedMemory implements AutoCloseable {
    /** Most bytes of one buffer of {@link #buffers}: a buffer cannot have 2 GiB. */
    public static final long BUFFER_BYTES = 1L << 30;

    private final SluiceClient client;
    private final int gpu;
    private final RemoteKey key;
    private volatile int number;
    private volatile List<MappedByteBuffer> mapped;

    SharedMemory(SluiceClient client, int gpu, RemoteKey key, int number, List<MappedByteBuffer> mapped) {
        this.client = client;
        this.gpu = gpu;
        this.key = key;
        this.number = number;
        this.mapped = mapped;
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
        client.share(number, name);
    }

    int number() {
        return number;
    }

    int gpu() {
        return gpu;
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
        client.free(this);
    }
}
