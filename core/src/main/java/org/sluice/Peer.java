package org.sluice;

import java.util.List;

/**
 * Another node, as this one knows it. Links to it are made when they are first asked for, any local GPU to any GPU there, and
 * kept; one that has ended is made anew when it is asked for again, so a peer that restarts is found again.
 *
 * <p>Any thread may use it. Closing it closes its links; the node goes on.
 */
public interface Peer extends AutoCloseable {
    /** Where it listens, as it was given: {@code host:port}. */
    String address();

    /**
     * The link between a GPU of this node and one of the peer's; made if there is none, which waits up to the node's deadline. Threads
     * that ask for the same link at once get the same one.
     *
     * @param localGpu from 0
     * @param remoteGpu the peer's number for its GPU, from 0
     * @throws LinkException when there is no such peer or GPU, or the link cannot be made
     * @throws ClosedException when this peer or the node is closed
     */
    Link link(int localGpu, int remoteGpu);

    /** The links to it that are alive and were made from here. */
    List<Link> links();

    @Override
    void close();
}
