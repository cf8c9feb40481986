package org.sluice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nodes that listen, and links between any two GPUs of theirs; wires in memory. */
@Timeout(60)
final class AnyToAnyTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final long BYTES = 40_000;

    private final List<Node> nodes = new ArrayList<>();

    private Node node(int gpus) {
        Node node = Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(gpus)
                .transport("memory")
                .channels(2)
                .chunkBytes(4096)
                .deadline(SOON)
                .build());
        nodes.add(node);
        return node;
    }

    private static String at(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }

    @AfterEach
    void close() {
        nodes.forEach(Node::close);
    }

    /** A node that listens and keeps the links that come. */
    private final class Listening {
        final Node node;
        final String address;
        final BlockingQueue<Link> links = new LinkedBlockingQueue<>();

        Listening(int gpus) {
            node = node(gpus);
            node.onLink(links::add);
            address = at(node.listen(ANY));
        }

        Link next() throws InterruptedException {
            Link link = links.poll(SOON.toSeconds(), TimeUnit.SECONDS);
            assertThat(link).as("a link that came").isNotNull();
            return link;
        }
    }

    /** Sends a pattern one way and compares every byte. */
    private static void verify(Node from, Link out, Node to, Link in, long seed) {
        try (Region source = from.allocate(out.gpu(), BYTES);
                Region target = to.allocate(in.gpu(), BYTES)) {
            source.fill(0, BYTES, seed);
            Transfer receive = in.receive(target, 0, BYTES);
            out.send(source, 0, BYTES).await(SOON);
            receive.await(SOON);
            assertThat(target.mismatch(0, BYTES, seed)).isEqualTo(-1);
        }
    }

    @Test
    @DisplayName("8 GPUs reach the one of another node, and it all of theirs, over one port")
    void eightToOne() throws Exception {
        Listening one = new Listening(1);
        Node eight = node(8);
        for (int g = 0; g < 8; g++) {
            Link out = eight.peer(one.address).link(g, 0);
            Link in = one.next();
            assertThat(in.gpu()).isZero();
            verify(eight, out, one.node, in, g);
            verify(one.node, in, eight, out, 100 + g);
        }
        assertThat(eight.peer(one.address).links()).hasSize(8);
    }

    @Test
    @DisplayName("every GPU of three reaches every GPU of five, links made side by side")
    void threeToFive() throws Exception {
        Listening five = new Listening(5);
        Node three = node(3);
        Peer peer = three.peer(five.address);
        List<Link> out = IntStream.range(0, 15)
                .boxed()
                .parallel()
                .map(i -> peer.link(i / 5, i % 5))
                .toList();
        Set<String> pairs = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 15; i++) {
            Link in = five.next();
            pairs.add(in.gpu() + " " + in.peer());
        }
        assertThat(pairs).hasSize(15);
        assertThat(out.stream().map(Link::gpu).collect(Collectors.toSet())).containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    @DisplayName("a link is kept: who asks again gets the same one, from any thread")
    void kept() {
        Listening there = new Listening(1);
        Peer peer = node(1).peer(there.address);
        Set<Link> seen =
                IntStream.range(0, 16).parallel().mapToObj(i -> peer.link(0, 0)).collect(Collectors.toSet());
        assertThat(seen).hasSize(1);
    }

    @Test
    @DisplayName("both nodes make links to each other at once")
    void bothWays() throws Exception {
        Listening a = new Listening(2);
        Listening b = new Listening(2);
        List<Link> made = IntStream.range(0, 8)
                .boxed()
                .parallel()
                .map(i -> (i < 4 ? a.node.peer(b.address) : b.node.peer(a.address)).link(i % 4 / 2, i % 2))
                .toList();
        assertThat(made).hasSize(8);
        for (int i = 0; i < 4; i++) {
            assertThat(a.next().endedWell()).isFalse();
            assertThat(b.next().endedWell()).isFalse();
        }
    }

    @Test
    @DisplayName("a peer that restarts is found again")
    void restart() throws Exception {
        Listening first = new Listening(1);
        InetSocketAddress place =
                new InetSocketAddress("127.0.0.1", Integer.parseInt(first.address.substring("127.0.0.1:".length())));
        Node node = node(1);
        Link old = node.peer(first.address).link(0, 0);
        first.node.close();
        assertThat(old.ended().get(20, TimeUnit.SECONDS)).isNotNull();

        Node again = node(1);
        BlockingQueue<Link> came = new LinkedBlockingQueue<>();
        again.onLink(came::add);
        again.listen(place);
        Link anew = node.peer(first.address).link(0, 0);
        assertThat(anew).isNotSameAs(old);
        verify(node, anew, again, came.take(), 7);
    }

    @Test
    @DisplayName("a GPU that the peer does not have is refused, with what it has")
    void noSuchGpu() {
        Listening there = new Listening(2);
        Peer peer = node(1).peer(there.address);
        assertThatThrownBy(() -> peer.link(0, 5))
                .hasMessageContaining("GPU 5 does not exist")
                .hasMessageContaining("has 2");
        assertThatThrownBy(() -> peer.link(3, 0)).hasMessageContaining("GPU 3 does not exist");
        assertThat(peer.link(0, 1).gpu()).isZero();
    }

    @Test
    @DisplayName("closing a peer closes its links; what is asked of it then is refused")
    void closed() throws Exception {
        Listening there = new Listening(1);
        Node node = node(1);
        Peer peer = node.peer(there.address);
        Link link = peer.link(0, 0);
        peer.close();
        assertThat(link.ended().get(20, TimeUnit.SECONDS)).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> peer.link(0, 0)).isInstanceOf(ClosedException.class);
        assertThat(node.peer(there.address).link(0, 0).endedWell()).isFalse();
    }

    @Test
    @DisplayName("an address that is none is said so")
    void addresses() {
        Node node = node(1);
        for (String wrong : List.of("host", "host:", "host:0", "host:70000", ":1", "2001:db8::1:20100", "host:x")) {
            assertThatThrownBy(() -> node.peer(wrong))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(wrong);
        }
        assertThat(node.peer("[2001:db8::1]:20100").address()).isEqualTo("[2001:db8::1]:20100");
    }

    @Test
    @DisplayName("links that come before the program listens are told to it")
    void late() throws Exception {
        Node there = node(1);
        String address = at(there.listen(ANY));
        node(1).peer(address).link(0, 0);
        BlockingQueue<Link> came = new LinkedBlockingQueue<>();
        there.onLink(came::add);
        assertThat(came.poll(20, TimeUnit.SECONDS)).isNotNull();
    }
}
