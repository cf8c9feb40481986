package org.sluice.spi;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.sluice.LeftOut;

/**
 * Moves bytes between two nodes over NICs. One per node, shared by all its GPUs; its methods may be called by every agent
 * thread. The channels it makes belong to the agent thread that made them.
 *
 * <p>Nothing here blocks: connecting and accepting answer "not yet" and are polled to the engine's deadline.
 */
public interface Transport extends AutoCloseable {
    /** As {@link TransportProvider#name()}. */
    String name();

    /** The NICs it will use, in the user's order. */
    List<Nic> devices();

    /** The devices that it does not use though nobody told it so, each with the reason; empty where it does not say. */
    default List<LeftOut> leftOut() {
        return List.of();
    }

    /** What proves rails over the ports that its channels use; empty where it has nothing of its own. Closed with the transport. */
    default Optional<RailProver> railProver() {
        return Optional.empty();
    }

    /**
     * Whether progress is made by the transport's own threads, which then ring the {@link Doorbell}. Where false, progress
     * happens inside {@link Channel#test()}, and the engine keeps calling it.
     */
    boolean ringsDoorbell();

    /**
     * The most pieces of memory that one message may be made of at either end. 1 where a message lies in one piece: lists are
     * packed by the engine then.
     */
    default int mostPieces() {
        return 1;
    }

    /** Prepares to receive one channel on a NIC. The result's handle goes to the peer in the bootstrap. */
    Listener listen(int device, ChannelContext context) throws TransportException;

    /** Starts to connect a sending channel. @param handle the peer listener's handle, foreign bytes: at most 128 */
    Connector connect(int device, byte[] handle, ChannelContext context) throws TransportException;

    /**
     * How long one attempt to bring a lost channel back may take before it is given up and started over, so that a connection
     * request which went into a dead cable is not waited for. Plugins may sleep for seconds inside accept.
     */
    default Duration attemptTime() {
        return Duration.ofSeconds(10);
    }

    /**
     * The longest pause between two attempts to bring a lost channel back: a NIC that returns takes load again within two of these and
     * two attempts. Longer where an attempt that fails leaves something behind.
     */
    default Duration longestPause() {
        return Duration.ofMillis(500);
    }

    /** Closes every channel and listener that is left. Idempotent. */
    @Override
    void close();

    /** Longest handle. Source: NCCL_NET_HANDLE_MAXSIZE since plugin API version 5. */
    int MAX_HANDLE_BYTES = 128;
}
