package org.sluice.engine;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.sluice.ClosedException;
import org.sluice.Link;
import org.sluice.Peer;
import org.sluice.SluiceException;
import org.sluice.wire.HostPort;

/** Another node and the links that were made to it from here. */
final class RemotePeer implements Peer {
    private final LocalNode node;
    private final HostPort address;
    private final Map<Pair, CompletableFuture<EngineLink>> links = new ConcurrentHashMap<>();
    private volatile boolean closed;

    private record Pair(int localGpu, int remoteGpu) {}

    RemotePeer(LocalNode node, HostPort address) {
        this.node = node;
        this.address = address;
    }

    @Override
    public String address() {
        return address.toString();
    }

    @Override
    public Link link(int localGpu, int remoteGpu) {
        Pair pair = new Pair(localGpu, remoteGpu);
        while (true) {
            if (closed) {
                throw new ClosedException("peer " + address + " is closed on this side");
            }
            CompletableFuture<EngineLink> mine = new CompletableFuture<>();
            CompletableFuture<EngineLink> there = links.putIfAbsent(pair, mine);
            if (there == null) {
                return make(pair, mine);
            }
            EngineLink link = await(there);
            if (!link.hasEnded()) {
                return link;
            }
            links.remove(pair, there); // it has just ended: another one
        }
    }

    private EngineLink make(Pair pair, CompletableFuture<EngineLink> promise) {
        try {
            EngineLink link = node.connect(address, pair.localGpu, pair.remoteGpu);
            link.ended().thenRun(() -> links.remove(pair, promise));
            promise.complete(link);
            if (closed) {
                link.close();
            }
            return link;
        } catch (RuntimeException | Error e) {
            links.remove(pair, promise);
            promise.completeExceptionally(e);
            throw e;
        }
    }

    private static EngineLink await(CompletableFuture<EngineLink> promise) {
        try {
            return promise.join(); // whoever makes it has a deadline
        } catch (CompletionException e) {
            if (e.getCause() instanceof SluiceException s) {
                throw s;
            }
            throw e;
        }
    }

    @Override
    public List<Link> links() {
        return links.values().stream()
                .filter(f -> f.isDone() && !f.isCompletedExceptionally())
                .map(f -> (Link) f.join())
                .toList();
    }

    @Override
    public void close() {
        closed = true;
        node.forget(this, address);
        links.values().forEach(f -> f.thenAccept(EngineLink::close));
    }
}
