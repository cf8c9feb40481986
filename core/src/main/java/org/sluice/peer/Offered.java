package org.sluice.peer;

import org.sluice.wire.FrameSocket;
import org.sluice.wire.Introduction;
import org.sluice.wire.NodeIdentity;

/**
 * A link that this side, the client, has all it needs to offer for.
 *
 * @param socket the connection to the server, on which both have said who they are
 * @param lease the rails to the server's node, which the link uses from now on
 * @param found those that can be offered
 */
record Offered(
        LinkAttempt attempt,
        FrameSocket socket,
        Introduction introduction,
        NodeIdentity server,
        RailLease lease,
        PeerRails.Found found)
        implements LinkStage {}
