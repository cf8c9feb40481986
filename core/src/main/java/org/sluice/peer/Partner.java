package org.sluice.peer;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.wire.Introduction;
import org.sluice.wire.LinkKey;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.RemoteNic;

/** Who is at the other end of a link that is agreed on. */
sealed interface Partner {
    /** Nobody said who: the uccl bootstrap knows handles and nothing else, and the link has no control connection. */
    record Unnamed() implements Partner {}

    /**
     * A client.
     *
     * @param gpu its GPU
     * @param note what its program says to this side's
     */
    record Client(Introduction introduction, NodeIdentity node, int gpu, byte[] note) implements Named {}

    /** A server. @param lease what the link knows of the rails to it */
    record Server(Introduction introduction, NodeIdentity node, int gpu, RailLease lease) implements Named {}

    /** One that said who it is, with whom the link has a control connection. */
    sealed interface Named extends Partner permits Client, Server {
        Introduction introduction();

        NodeIdentity node();

        int gpu();
    }

    default List<RemoteNic> nics() {
        return this instanceof Named n ? n.node().nics() : List.of();
    }

    default byte[] saidNote() {
        return this instanceof Client c ? c.note() : new byte[0];
    }

    /** What frames and channels are sealed with; null without a secret. */
    default @Nullable LinkKey key() {
        return this instanceof Named n ? n.introduction().key() : null;
    }

    default Optional<RailLease> rails() {
        return this instanceof Server s ? Optional.of(s.lease()) : Optional.empty();
    }
}
