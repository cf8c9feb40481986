package org.sluice.spi;

import java.util.List;

/**
 * One one-way connection of a GPU pair over one rail. Belongs to one agent thread. Requests finish in the order they were
 * posted, and only the oldest is tested: this is what plugins demand (FastSocket and TCPX fail a test of any other).
 */
public interface Channel extends AutoCloseable {
    /** {@link #test()}: the oldest request is not done, or there is none. */
    int PENDING = 0;

    /** {@link #test()}: the oldest request is done and has been taken off. */
    int DONE = 1;

    /** {@link #test()}: the oldest receive is done and taken off, but its bytes are damaged (a checksum failed). */
    int DAMAGED = 2;

    /** {@link #test()}: the oldest receive is done and taken off, with nothing: its sender {@linkplain SendChannel#sendVoid voided} it. */
    int VOID = 3;

    /** {@link #progress()}: the transport cannot tell. */
    long UNKNOWN_PROGRESS = -1;

    /** Makes memory known. @throws TransportException if the transport does not take it */
    Registration register(GpuMemory memory) throws TransportException;

    /** Makes progress and reports on the oldest request. @throws TransportException when the channel is broken: close it */
    int test() throws TransportException;

    /**
     * A number that changes whenever bytes of a request move, were it one byte of a large chunk: what tells a slow rail from a
     * stalled one. Asked for seldom, when nothing has finished for a while; may cost a system call.
     *
     * @return the number, or {@link #UNKNOWN_PROGRESS} where the transport cannot tell
     */
    default long progress() throws TransportException {
        return UNKNOWN_PROGRESS;
    }

    /**
     * Whether its bytes are encrypted or checked on their way: then none of a transfer's may go another way that is not.
     */
    default boolean isProtected() {
        return false;
    }

    /** Both ends as a person would say them, for messages: {@code eth1 10.1.0.1:40312 > 10.1.0.2:35001}. */
    String description();

    /** Its connections, as whoever is below the transport sees them; may cost a system call each. */
    default List<ConnectionFacts> connections() {
        return List.of();
    }

    /**
     * Gives up what is in flight and frees everything, registrations included: in which order is for the transport to know. It does
     * not wait for anybody outside this process; what has to be waited for goes on, see {@link #isClosed}.
     */
    @Override
    void close();

    /**
     * Whether {@link #close} is through: from then on no byte is read from or written to memory that was posted or registered here. A
     * transport whose close never waits is closed when it returns; a plugin's may go on in the background.
     *
     * @throws TransportException when it has not come back in time: that memory stays in use, nobody knows for how long
     */
    default boolean isClosed() throws TransportException {
        return true;
    }
}
