package org.sluice.ipc;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;

/** Two nodes of this process and a link between them, of host GPUs. */
final class TwoNodes implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(20);

    final Node server;
    final Node client;
    final Link out;
    final Link in;

    TwoNodes(String serverTransport, String clientTransport) throws InterruptedException {
        this(serverTransport, clientTransport, c -> c);
    }

    TwoNodes(String serverTransport, String clientTransport, UnaryOperator<NodeConfig.Builder> settings)
            throws InterruptedException {
        BlockingQueue<Link> links = new LinkedBlockingQueue<>();
        server = Node.open(settings.apply(config(serverTransport)).build());
        try {
            client = Node.open(settings.apply(config(clientTransport)).build());
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        try {
            server.onLink(links::add);
            InetSocketAddress at = server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            out = client.peer("127.0.0.1:" + at.getPort()).link(0, 0);
            Link came = links.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
            if (came == null) {
                throw new AssertionError("no link came");
            }
            in = came;
        } catch (RuntimeException | InterruptedException | AssertionError e) {
            close();
            throw e;
        }
    }

    static NodeConfig.Builder config(String transport) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .transport(transport)
                .channels(2)
                .nics(java.util.List.of("lo1"))
                .deadline(LIMIT);
    }

    /** What one side has moved by a transport. */
    static long bytes(Link link, String nic, boolean sending) {
        return link.channels().stream()
                .filter(c -> c.sending() == sending && c.nic().equals(nic))
                .mapToLong(c -> c.bytes())
                .sum();
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
