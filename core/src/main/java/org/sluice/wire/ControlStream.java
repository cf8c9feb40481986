package org.sluice.wire;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * The bytes of a control connection, in the clear or through TLS. While the link is being made its socket waits, each time up to a
 * deadline; afterwards it does not, and the agent asks when there is something.
 *
 * <p>Thread rule: one thread reads, and one may write meanwhile.
 */
public sealed interface ControlStream extends AutoCloseable permits PlainStream, TlsStream, MovableStream {
    SocketChannel socket();

    /**
     * Waits for bytes, on a socket that waits.
     *
     * @return how many came, at least 1; -1 at the end of the stream
     * @throws SocketTimeoutException when none came until the deadline
     */
    int await(byte[] into, int at, int most, Deadline deadline) throws IOException;

    /** Takes what is there, as far as it has room. @return how many bytes; -1 at the end of the stream */
    int read(ByteBuffer into) throws IOException;

    /** Sends, as far as the socket takes it. @return how many bytes were taken */
    int write(ByteBuffer from) throws IOException;

    /** Whether bytes that were taken still wait for the socket: another {@link #write}, were it of nothing, moves them on. */
    boolean hasUnsent();

    /** What both ends of this very connection know and nobody between them: 32 bytes with TLS, none without. */
    byte[] binding();

    /** No more will be said; what the peer still says can be read. */
    void shutdownOutput() throws IOException;

    @Override
    void close() throws IOException;

    /** Whether it has memory to give back. */
    default boolean isLarge() {
        return false;
    }

    /** Gives back the memory that nothing waits in. */
    default void trim() {}
}
