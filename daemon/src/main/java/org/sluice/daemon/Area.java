package org.sluice.daemon;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.sluice.linux.Descriptor;
import org.sluice.linux.FileMapping;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;

/**
 * The memory that a client shares with the daemon: made and sealed by the daemon, so that no client can take it away. What the client
 * writes there may change while it is read: read once, copy, then check.
 */
final class Area implements AutoCloseable {
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final Descriptor memory;
    private final FileMapping mapping;
    private final MemorySegment bytes;
    private final int entries;
    private final int textBytes;
    private final int listBytes;

    private Area(Descriptor memory, FileMapping mapping, Hello hello) {
        this.memory = memory;
        this.mapping = mapping;
        this.bytes = mapping.segment();
        this.entries = hello.entries();
        this.textBytes = hello.textBytes();
        this.listBytes = hello.listBytes();
    }

    static Area of(Hello hello) throws LinuxException {
        long size = Protocol.SUBMISSIONS
                + (long) hello.entries() * Protocol.SUBMISSION_BYTES
                + 2L * hello.entries() * Protocol.COMPLETION_BYTES
                + hello.textBytes()
                + hello.listBytes();
        Descriptor memory = Memfd.sealed("sluice-area", size);
        try {
            Area area = new Area(memory, FileMapping.of(memory, 0, size), hello);
            area.bytes.set(ValueLayout.JAVA_LONG, 0, Protocol.MAGIC);
            return area;
        } catch (LinuxException e) {
            memory.close();
            throw e;
        }
    }

    /** Of the sealed memory behind it. */
    int fd() {
        return memory.fd();
    }

    long size() {
        return bytes.byteSize();
    }

    int entries() {
        return entries;
    }

    int completions() {
        return Protocol.SUBMISSIONS + entries * Protocol.SUBMISSION_BYTES;
    }

    int texts() {
        return completions() + 2 * entries * Protocol.COMPLETION_BYTES;
    }

    int textBytes() {
        return textBytes;
    }

    int lists() {
        return texts() + textBytes;
    }

    int listBytes() {
        return listBytes;
    }

    long longAcquire(int offset) {
        return (long) LONG.getAcquire(bytes, (long) offset);
    }

    void longRelease(int offset, long value) {
        LONG.setRelease(bytes, (long) offset, value);
    }

    int intAcquire(int offset) {
        return (int) INT.getAcquire(bytes, (long) offset);
    }

    void intRelease(int offset, int value) {
        INT.setRelease(bytes, (long) offset, value);
    }

    /**
     * Sets a flag by which the other side knows that it has to ring. Whoever does so looks once more before it relies on that: what the
     * other side did before it could see the flag, it does not ring for.
     */
    void raise(int flag) {
        INT.setRelease(bytes, (long) flag, 1);
        VarHandle.fullFence(); // the second look may not come before the flag
    }

    void copyOut(long offset, MemorySegment to, long length) {
        MemorySegment.copy(bytes, offset, to, 0, length);
    }

    byte[] copyOut(long offset, int length) {
        byte[] copy = new byte[length];
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, copy, 0, length);
        return copy;
    }

    void copyIn(MemorySegment from, long offset, long length) {
        MemorySegment.copy(from, 0, bytes, offset, length);
    }

    void copyIn(byte[] from, long offset, int length) {
        MemorySegment.copy(from, 0, bytes, ValueLayout.JAVA_BYTE, offset, length);
    }

    /** Nobody may be inside a call. */
    @Override
    public void close() {
        mapping.close();
        memory.close();
    }
}
