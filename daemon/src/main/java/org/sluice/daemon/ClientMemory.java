package org.sluice.daemon;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.linux.Descriptor;
import org.sluice.linux.FileMapping;

/** Memory that a client registered. Either it is mapped here and has a key, or it can shrink and is moved by copies. Any thread. */
sealed interface ClientMemory {
    int number();

    int gpu();

    Key key();

    long bytes();

    /** Bytes of this host's memory that it takes. */
    default long hostBytes() {
        return bytes();
    }

    /** Descriptors that the daemon keeps for it. */
    default int descriptors() {
        return 0;
    }

    /** No peer begins to use it any more. */
    void withdraw();

    /** Ends what peers still do to it. Waits a little. */
    default void expel() {}

    /** Frees it, if nothing uses it now. @return whether it is free */
    boolean tryFree();

    /** Checks a range. @throws ClientException when it is not inside */
    default void check(long offset, long length) {
        if (offset < 0 || length < 0 || length > bytes() - offset) {
            throw new ClientException(
                    Status.BOUNDS,
                    "offset " + Long.toUnsignedString(offset) + " and " + Long.toUnsignedString(length)
                            + " bytes are not inside memory " + number() + " of " + bytes() + " bytes");
        }
    }

    /** Frees it, waiting for what uses it. @return false when something still does after so long */
    default boolean free(long atMostNanos) {
        expel();
        long end = System.nanoTime() + atMostNanos;
        long pause = 50_000;
        while (!tryFree()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            try {
                TimeUnit.NANOSECONDS.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
            pause = Math.min(pause * 2, 5_000_000);
        }
        return true;
    }

    /** How long a peer may take to end what it does to memory that is taken back. */
    Duration EXPULSION = Duration.ofSeconds(1);

    /** Memory that the node has a region of, so that peers reach it by its key. */
    sealed interface Reached extends ClientMemory {
        Region region();

        @Override
        default int gpu() {
            return region().gpu();
        }

        @Override
        default long bytes() {
            return region().size();
        }

        @Override
        default void withdraw() {
            region().withdraw();
        }

        @Override
        default void expel() {
            try {
                region().withdraw(region().remoteKey(), EXPULSION);
            } catch (SluiceException | IllegalStateException e) {
                // free() waits for it
            }
        }

        @Override
        default boolean tryFree() {
            try {
                region().close();
            } catch (IllegalStateException e) {
                return false; // a transfer still uses it
            }
            return true;
        }
    }

    /** Memory of a file that cannot shrink, mapped into this process and adopted by the node. */
    record Mapped(
            int number, Key key, Region region, @Nullable FileMapping mapping) implements Reached {
        @Override
        public boolean tryFree() {
            if (!Reached.super.tryFree()) {
                return false;
            }
            if (mapping != null) {
                mapping.close();
            }
            return true;
        }
    }

    /**
     * Memory of a GPU that the client allocated, opened in the GPU's context here.
     *
     * @param kind of its registration
     * @param buffer the driver's number of the allocation among all that the client ever had
     * @param descriptors one for each allocation that it spans and that has one
     */
    record Device(int number, Key key, Region region, int kind, long buffer, int descriptors) implements Reached {
        @Override
        public long hostBytes() {
            return 0;
        }
    }

    /** A file that can shrink: read and written by system calls, while {@linkplain #use used}. */
    record Copied(int number, int gpu, Key key, long bytes, Descriptor file, long offset, AtomicInteger uses)
            implements ClientMemory {
        private static final int FREED = -1;

        /** Keeps the descriptor open until {@link #release}. @throws ClientException when it is closed */
        void use() {
            if (uses.getAndUpdate(n -> n == FREED ? FREED : n + 1) == FREED) {
                throw new ClientException(Status.NOT_FOUND, "memory " + number + " is deregistered");
            }
        }

        void release() {
            uses.decrementAndGet();
        }

        @Override
        public void withdraw() {}

        @Override
        public boolean tryFree() {
            int before = uses.compareAndExchange(0, FREED);
            if (before == 0) {
                file.close();
            }
            return before == 0 || before == FREED;
        }
    }
}
