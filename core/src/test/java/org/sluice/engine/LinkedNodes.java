package org.sluice.engine;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.sluice.GpuInfo;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.transfer.Agent;

/** Two nodes of this process with a link of wires in memory, real control connections, and access to their agents. */
final class LinkedNodes implements AutoCloseable {
    private static final int CHUNK = 4096;

    private final Node server;
    private final Node client;
    private final Pair first;

    /** Both ends of a link. */
    record Pair(Link out, Link in) {}

    /** @param deadline of both nodes: how long anything is waited for */
    LinkedNodes(Duration deadline) {
        this(deadline, Duration.ofSeconds(5), gpu -> {});
    }

    LinkedNodes(Duration deadline, Duration peerTimeout, Consumer<GpuInfo> agentStart) {
        try {
            int port = freePort();
            server = Node.open(config(port, deadline, peerTimeout, agentStart));
            client = Node.open(config(port, deadline, peerTimeout, agentStart));
            server.bind();
            first = another();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        }
    }

    private static NodeConfig config(int port, Duration deadline, Duration peerTimeout, Consumer<GpuInfo> agentStart) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .transport("memory")
                .channels(4)
                .chunkBytes(CHUNK)
                .smallBytes(0) // what is tried here is what happens to chunks
                .portBase(port)
                .deadline(deadline)
                .peerTimeout(peerTimeout)
                .clientWait(Duration.ofSeconds(20))
                .agentStart(agentStart)
                .build();
    }

    /** One more link between the same GPUs. */
    Pair another() throws Exception {
        CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
        Link connected = client.connect(0, "127.0.0.1");
        return new Pair(connected, accepted.get(20, TimeUnit.SECONDS));
    }

    Node server() {
        return server;
    }

    Node client() {
        return client;
    }

    Link out() {
        return first.out;
    }

    Link in() {
        return first.in;
    }

    /** Takes the selector from under the agent of a link's GPU: nothing that it could go on without. */
    static void killAgentOf(Link link) throws Exception {
        Agent agent = ((EngineLink) link).agent();
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        agent.execute(() -> {
            try {
                agent.watch(pipe.source(), SelectionKey.OP_READ, agent.bell(), () -> {})
                        .selector()
                        .close();
                pipe.source().close();
                pipe.sink().close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
