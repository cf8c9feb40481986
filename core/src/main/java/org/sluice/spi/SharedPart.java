package org.sluice.spi;

import java.util.Optional;
import java.util.stream.Stream;

/**
 * A range of one allocation that another process of this host may open: what goes to it by message, and perhaps a descriptor that
 * goes along ({@code SCM_RIGHTS}). A block of memory is one part, or several that follow on each other.
 *
 * <p>The message can be wrong or meant badly, so the opener believes none of it: the driver or the kernel says how long the
 * allocation is.
 *
 * @param kind how it is opened
 * @param allocation names the allocation among those of its process, for as long as the process lives; a recycled address has a
 *     new one where the driver knows
 * @param allocationBytes length of the whole allocation, which is what is opened
 * @param offset of the range in the allocation
 * @param bytes of the range, at least 1
 * @param handle what the opener's driver wants, at most {@link #MOST_HANDLE_BYTES}; not for others to read
 * @param descriptor open file descriptor, -1 where the kind has none
 */
public record SharedPart(
        Kind kind, long allocation, long allocationBytes, long offset, long bytes, byte[] handle, int descriptor) {
    public static final int MOST_HANDLE_BYTES = 128;

    /** How a part is opened. */
    public enum Kind {
        /** A sealed memfd of a host GPU. */
        MEMFD(0),
        /** {@code cuIpcGetMemHandle}: no descriptor. */
        CUDA_IPC(1),
        /** A handle of CUDA's virtual memory management, as a descriptor. */
        CUDA_VMM(2);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        /** As a message names it. */
        public int number() {
            return number;
        }

        /** The kind that a message names; empty where there is no such kind. */
        public static Optional<Kind> of(int number) {
            return Stream.of(values()).filter(k -> k.number == number).findFirst();
        }

        public boolean hasDescriptor() {
            return this != CUDA_IPC;
        }
    }

    public SharedPart {
        if (bytes < 1 || offset < 0 || offset > allocationBytes - bytes) {
            throw new IllegalArgumentException("a shared part of " + bytes + " bytes at offset " + offset
                    + " does not lie in an allocation of " + allocationBytes);
        }
        if (handle.length > MOST_HANDLE_BYTES) {
            throw new IllegalArgumentException("a shared part has a handle of " + handle.length + " bytes");
        }
    }

    /** The same range under another name of its allocation. */
    public SharedPart named(long other) {
        return new SharedPart(kind, other, allocationBytes, offset, bytes, handle, descriptor);
    }

    /** As it is on another side, where descriptors have other numbers. */
    public SharedPart withDescriptor(int other) {
        return new SharedPart(kind, allocation, allocationBytes, offset, bytes, handle, other);
    }
}
