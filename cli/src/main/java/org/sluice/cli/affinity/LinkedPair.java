package org.sluice.cli.affinity;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.cli.common.LoopbackRails;

/** A server node and a client node in this one process, linked over this host: for looking at threads at work. */
final class LinkedPair implements AutoCloseable {
    private final Node server;
    private final Node client;
    private final List<Link> links = new ArrayList<>();

    private LinkedPair(Node server, Node client) {
        this.server = server;
        this.client = client;
    }

    /** Opens both nodes and makes every link. @throws SluiceException as the nodes do */
    static LinkedPair open(NodeConfig config) {
        Node server = Node.open(config);
        Node client;
        try {
            client = Node.open(config);
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        LinkedPair pair = new LinkedPair(server, client);
        try {
            server.bind();
            CompletableFuture<List<Link>> accepted = CompletableFuture.supplyAsync(() -> server.acceptAll(l -> {}));
            pair.links.addAll(client.connectAll(LoopbackRails.HOST, l -> {}));
            pair.links.addAll(accepted.join());
            return pair;
        } catch (CompletionException e) {
            pair.close();
            throw e.getCause() instanceof SluiceException s ? s : new LinkException(String.valueOf(e.getCause()), e);
        } catch (RuntimeException e) {
            pair.close();
            throw e;
        }
    }

    /** Moves some chunks over every channel, so that each thread that works for one has begun. */
    void turn() {
        NodeConfig config = client.config();
        long bytes = client.chunkBytes() * config.link().channels() * 2;
        int gpus = client.gpus();
        for (int g = 0; g < gpus; g++) {
            try (Region from = client.allocate(g, bytes);
                    Region to = server.allocate(g, bytes)) {
                Link sending = links.get(g);
                Link receiving = links.get(gpus + g);
                Transfer in = receiving.receive(to, 0, bytes);
                Transfer out = sending.send(from, 0, bytes);
                out.await(config.timeouts().deadline());
                in.await(config.timeouts().deadline());
            }
        }
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
