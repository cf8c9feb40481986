package org.sluice.peer;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.PullTransport;
import org.sluice.wire.NodeIdentity;

/** That a node shares its memory with peers on its host, and the links that do. */
public final class NodeSharing implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeSharing.class);
    private static final long CLOSE_MILLIS = 5_000;

    private final PullTransport transport;
    private final boolean demanded;
    private final Set<CompletableFuture<Void>> freeing = ConcurrentHashMap.newKeySet();

    /**
     * @param transport which brings parts of memory to peers
     * @param demanded whether a link that cannot share is not wanted
     */
    public NodeSharing(PullTransport transport, boolean demanded) {
        this.transport = transport;
        this.demanded = demanded;
    }

    /** The transport's name. */
    public String name() {
        return transport.name();
    }

    PullTransport transport() {
        return transport;
    }

    boolean isDemanded() {
        return demanded;
    }

    /** Why memory is not shared with a peer, as far as can be told before trying; empty where it is worth a try. */
    String whyNot(NodeIdentity self, NodeIdentity peer) {
        if (self.host() == 0 || self.host() != peer.host()) {
            return "the peer is on another host";
        }
        if (!peer.pulls().equals(transport.name())) {
            return "the peer does not share its memory: it was told to use " + peer.transport();
        }
        return "";
    }

    /** A link's imports are not all closed yet; the node waits for them before it closes its GPUs. */
    @SuppressWarnings("UndefinedEquals") // this very future is meant
    void track(CompletableFuture<Void> freed) {
        freeing.add(freed);
        freed.whenComplete((ok, why) -> freeing.remove(freed));
    }

    /** After the links, before the GPUs. */
    @Override
    public void close() {
        try {
            CompletableFuture.allOf(freeing.toArray(new CompletableFuture<?>[0]))
                    .get(CLOSE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            log.warn("memory of peers is left open: it was not closed within {} ms", CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        transport.close();
    }
}
