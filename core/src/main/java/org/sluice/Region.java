package org.sluice;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;

/**
 * Memory of one GPU that transfers move bytes from and to. Peers name it by an unguessable key, never by address.
 *
 * <p>Any thread may use it. It must not be closed while transfers use it, and its bytes are the transfer's while one does.
 */
public interface Region extends AutoCloseable {
    int gpu();

    /** Bytes. */
    long size();

    /** First byte: a device address on a CUDA GPU. For other libraries, and for logs. */
    long address();

    /** The bytes themselves, on a host GPU; empty on a CUDA GPU, see {@link #write} and {@link #read}. */
    Optional<MemorySegment> segment();

    /** What a peer needs to {@linkplain Link#write write} here or {@linkplain Link#read read} from here. Keep it from others. */
    RemoteRegion remoteKey();

    /** Another key, which gives only this right. */
    RemoteRegion share(Access access);

    /**
     * Takes a key back, and ends what peers do by it: their transfers fail with a {@link RemoteAccessException}. Waits until none uses
     * the memory any more. What a peer owes at the end of {@code atMost} is not waited for: the channel that it owes it on is given up.
     *
     * @throws NotDoneException when even that has not ended it soon after; nobody new gets at the memory all the same
     */
    void withdraw(RemoteRegion key, Duration atMost);

    /** Takes the key back: no peer begins to read or write here any more; what is under way goes on. Idempotent. */
    void withdraw();

    /** Copies host bytes in, and waits. Convenient, not fast. */
    void write(long offset, MemorySegment source);

    /** Copies bytes out to the host, and waits. */
    void read(long offset, MemorySegment target);

    /** Fills {@code [offset, offset + bytes)} with a checkable pattern, on the GPU. @param offset a multiple of 8 */
    void fill(long offset, long bytes, long seed);

    /** Compares with what {@link #fill} wrote at the same offset. @return offset of the first wrong byte, or -1 */
    long mismatch(long offset, long bytes, long seed);

    /** Frees the memory. Idempotent. @throws IllegalStateException while transfers use it, a peer's one-sided ones too */
    @Override
    void close();
}
