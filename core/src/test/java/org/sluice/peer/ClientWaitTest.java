package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.LinkingStep;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.wire.Answer;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/** A server of two GPUs waits ten minutes for a client, but not for the rest of one that has died. */
@Timeout(60)
class ClientWaitTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(500);

    private int port;
    private Node server;
    private CompletableFuture<List<Link>> accepting;

    private void serve(Duration peerTimeout) throws Exception {
        while (!bound(peerTimeout)) {
            server.close(); // somebody else has one of the two ports: others
        }
        CountDownLatch waiting = new CountDownLatch(1);
        accepting = CompletableFuture.supplyAsync(() -> server.acceptAll(step -> {
            if (step instanceof LinkingStep.Begun b && b.phase() == LinkingStep.Phase.BOOTSTRAP) {
                waiting.countDown();
            }
        }));
        assertThat(waiting.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    private boolean bound(Duration peerTimeout) throws Exception {
        try (ServerSocket probe = new ServerSocket(0)) {
            port = probe.getLocalPort();
        }
        server = Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(2)
                .transport("memory")
                .portBase(Math.min(port, 65_534))
                .clientWait(Duration.ofMinutes(10))
                .peerTimeout(peerTimeout)
                .build());
        port = server.config().network().portBase();
        try {
            server.bind();
            return true;
        } catch (ConfigException e) {
            return false;
        }
    }

    @AfterEach
    void close() {
        server.close();
    }

    private FrameSocket offering(int gpu) throws Exception {
        FrameSocket client = new FrameSocket(
                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port + gpu)),
                Deadline.in(LIMIT));
        Handshake.asClient(client, null);
        List<RemoteNic> nics = List.of(new RemoteNic("m", List.of(), 0, 0));
        NodeIdentity node = new NodeIdentity(1, 2, 3, "here", "0.1", 2, "memory", 0, new byte[16], nics);
        client.write(FrameType.IDENTITY, node.encode());
        client.read(FrameType.IDENTITY);
        Offer offer = new Offer(gpu, 0, 1, false, false, 16, 4096, 0, List.of(new Rail(0, 0, 0, 0)), 1, new byte[0]);
        client.write(FrameType.OFFER, offer.encode());
        return client;
    }

    private void failsSaying(String... what) {
        assertThatThrownBy(() -> accepting.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(LinkException.class)
                .hasMessageContainingAll(what);
    }

    @Test
    void aClientThatDiesBetweenOfferAndHandlesIsNotWaitedFor() throws Exception {
        serve(SHORT);
        FrameSocket second = offering(1);
        try (FrameSocket first = offering(0)) {
            second.read(FrameType.ANSWER);
            first.read(FrameType.ANSWER);
            first.write(FrameType.HANDLES, Answer.encodeHandles(List.of()));
            second.close();
            failsSaying("GPU 1: client 127.0.0.1:", "left while the link was being made", "port " + (port + 1));
        }
    }

    @Test
    void aClientThatNeverComesForItsOtherGpuIsNotWaitedFor() throws Exception {
        serve(SHORT);
        try (FrameSocket client = offering(0)) {
            client.read(FrameType.ANSWER);
            client.write(FrameType.HANDLES, Answer.encodeHandles(List.of()));
            failsSaying(
                    "GPU 1: no client came to port " + (port + 1) + " within 400 ms after GPU 0's came from 127.0.0.1:",
                    "has died, or has fewer GPUs");
        }
    }

    @Test
    void aClientThatDiesInTimeForAnotherIsReplaced() throws Exception {
        serve(LIMIT);
        offering(0).close();
        NodeConfig config = server.config();
        try (Node client = Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(2)
                .transport("memory")
                .portBase(config.network().portBase())
                .build())) {
            List<Link> links = client.connectAll("127.0.0.1", line -> {});
            assertThat(links).hasSize(2);
            assertThat(accepting.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).hasSize(2);
        }
    }

    @Test
    void closingTheNodeEndsTheWait() throws Exception {
        serve(LIMIT);
        server.close();
        assertThatThrownBy(() -> accepting.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(ClosedException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void bothSidesSayTheirCountsOfGpus() throws Exception {
        serve(LIMIT);
        try (Node client = Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .transport("memory")
                .portBase(port)
                .build())) {
            assertThatThrownBy(() -> client.connectAll("127.0.0.1", line -> {}))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("the client has 1 GPUs, this server 2; give both the same --gpus");
        }
        failsSaying("the client has 1 GPUs, this server 2");
    }
}
