package org.sluice.spi;

import java.util.function.Consumer;

/**
 * Finds out which NICs of two hosts reach each other, by trying: a connection from one NIC to the other over which 64 KiB go to and
 * fro, since a small packet gets through where a large one does not. One per node; any thread may use it.
 */
public interface RailProver extends AutoCloseable {
    /** Length of a token. */
    int TOKEN_BYTES = 16;

    /**
     * A try.
     *
     * @param nic this side's NIC, by its place among the transport's
     * @param address place of this side's address among that NIC's
     * @param peerAddress the peer's address, a literal without prefix length
     * @param peerPort what {@link #port()} gave at the peer
     * @param token what the peer {@linkplain #admit lets in}
     */
    record Try(int nic, int address, String peerAddress, int peerPort, byte[] token) {}

    /** What came of a try. */
    sealed interface Outcome {
        /**
         * The NICs reach each other.
         *
         * @param peerNic the peer's NIC that the connection really came in by, by its place among the peer's; it need not be the one
         *     that has the address. -1 where the peer cannot tell
         */
        record Proven(int peerNic) implements Outcome {}

        /** @param why continues a sentence about the two addresses: {@code does not answer within 3 s} */
        record Failed(String why) implements Outcome {}
    }

    /** Where tries of peers come in, the same port on every NIC; 0 where none can. */
    int port();

    /** Lets tries in that show this token, until it is {@linkplain #dismiss dismissed}. */
    void admit(byte[] token);

    void dismiss(byte[] token);

    /** Starts a try of a peer on another host. @param told the outcome, once, on a thread of the prover's that it must not hold up */
    void attempt(Try what, Consumer<Outcome> told);

    /** Ends every try; their outcomes are not told. Idempotent. */
    @Override
    void close();
}
