package org.sluice.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The memory that a client has registered at its daemon, and registers again at the next one. Any thread. Everything waits for the
 * daemon's answer, and throws a {@link SluiceClientException} that says what it has against it.
 */
final class Memories {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int CUDA_IPC = 2;
    private static final int OURS = 4;
    /** The GPU that memory is on, whatever the daemon's number of it. */
    private static final int WHICHEVER = -1;

    private static final int FOR_EVER = 1;

    /** The daemon of the moment. */
    interface Daemon {
        /** Asks over the socket. @return the answer's payload */
        ByteBuffer ask(int type, ByteBuffer payload);
    }

    private final Daemon daemon;
    private final Set<SharedMemory> all = ConcurrentHashMap.newKeySet();

    Memories(Daemon daemon) {
        this.daemon = daemon;
    }

    /** Fresh host memory, zeros. */
    SharedMemory allocate(int gpu, long bytes) {
        RemoteKey key = freshKey(bytes);
        ByteBuffer answer = daemon.ask(Wire.REGISTER, registration(gpu, key));
        SharedMemory memory = new SharedMemory(this, gpu, key, answer.getInt(0), map(answer, bytes));
        all.add(memory);
        return memory;
    }

    /** GPU memory of the program. @param offset of the first byte in the allocation */
    SharedMemory registerDevice(CudaAllocation allocation, long offset, long bytes) {
        SharedMemory memory = new SharedMemory(this, freshKey(bytes), allocation, offset);
        present(memory, allocation);
        all.add(memory);
        return memory;
    }

    /** Nobody can guess it. */
    private static RemoteKey freshKey(long bytes) {
        return new RemoteKey(RANDOM.nextLong(), RANDOM.nextLong(), bytes);
    }

    /** Registers everything at a daemon that knows nothing of it, with the same keys; bytes of host memory go along. */
    void presentAgain() {
        for (SharedMemory m : all) {
            CudaAllocation device = m.device();
            if (device != null) {
                present(m, device);
                continue;
            }
            ByteBuffer answer = daemon.ask(Wire.REGISTER, registration(m.gpu(), m.key()));
            m.moved(answer.getInt(0), map(answer, m.size()));
        }
    }

    private void present(SharedMemory memory, CudaAllocation allocation) {
        ByteBuffer b = Wire.buffer(72 + CudaAllocation.HANDLE_BYTES);
        b.putInt(CUDA_IPC).putInt(WHICHEVER);
        b.putLong(memory.key().high()).putLong(memory.key().low());
        b.putLong(memory.offset()).putLong(memory.size()).putLong(allocation.bufferId());
        b.put(allocation.uuid()).putLong(allocation.bytes()).put(allocation.handle());
        ByteBuffer answer = daemon.ask(Wire.REGISTER, b.flip());
        memory.opened(answer.getInt(0), answer.getInt(16));
    }

    private static ByteBuffer registration(int gpu, RemoteKey key) {
        ByteBuffer b = Wire.buffer(48);
        b.putInt(OURS)
                .putInt(gpu)
                .putLong(key.high())
                .putLong(key.low())
                .putLong(0)
                .putLong(key.bytes())
                .putLong(0);
        return b.flip();
    }

    /** Maps the daemon's memory, by the path that its answer tells. */
    private static List<MappedByteBuffer> map(ByteBuffer answer, long bytes) {
        String path = Wire.text(answer, 16);
        List<MappedByteBuffer> pieces = new ArrayList<>();
        try (FileChannel file = FileChannel.open(Path.of(path), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (long at = 0; at < bytes; at += SharedMemory.BUFFER_BYTES) {
                pieces.add(
                        file.map(FileChannel.MapMode.READ_WRITE, at, Math.min(SharedMemory.BUFFER_BYTES, bytes - at)));
            }
        } catch (IOException e) {
            throw new SluiceClientException(
                    SluiceClientException.NOT_SUPPORTED,
                    "the daemon's memory at " + path + " cannot be mapped (" + e + "): it has to run as the same user",
                    e);
        }
        return pieces;
    }

    /** Takes it back and kills its key for ever. Idempotent. */
    void free(SharedMemory memory) {
        if (all.remove(memory)) {
            daemon.ask(
                    Wire.DEREGISTER,
                    Wire.buffer(8).putInt(memory.number()).putInt(FOR_EVER).flip());
        }
    }

    /** Gives every peer the key of a memory under a name. */
    void share(SharedMemory memory, String name) {
        daemon.ask(Wire.SHARE, Wire.named(memory.number(), 0, name));
    }
}
