package org.sluice.contract;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;

/**
 * A process with a node that listens: {@code backend transport}. It says its port, then serves one link: shares a region {@code memory}
 * filled with {@link #SEED}, writes it to the peer's region {@code back} again and again, and ends with the link.
 */
public final class PullChild {
    public static final long SEED = 77;
    public static final int BYTES = 8 << 20;

    private PullChild() {}

    /** A machine that is busy with other tests may hold a process up for long. */
    public static final Duration PATIENT = Duration.ofSeconds(30);

    /** Settings of both sides. @param silence after which the peer counts as lost */
    public static NodeConfig config(String backend, String transport, Duration silence) {
        return NodeConfig.builder()
                .backend(backend)
                .gpus(1)
                .transport(transport)
                .channels(1)
                .nics(List.of("lo1"))
                .peerTimeout(silence)
                .deadline(Duration.ofSeconds(60))
                .build();
    }

    public static void main(String[] args) throws Exception {
        try (Node node = Node.open(config(args[0], args[1], PATIENT))) {
            BlockingQueue<Link> links = new LinkedBlockingQueue<>();
            node.onLink(links::add);
            InetSocketAddress at = node.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            System.out.println("port " + at.getPort());
            Link link = links.poll(60, TimeUnit.SECONDS);
            if (link == null) {
                return;
            }
            Region memory = node.allocate(0, BYTES);
            memory.fill(0, BYTES, SEED);
            link.share("memory", memory);
            Region written = node.allocate(0, BYTES);
            link.share("written", written);
            RemoteRegion back = link.remoteRegion("back").get(60, TimeUnit.SECONDS);
            while (!link.ended().isDone()) {
                link.write(memory, 0, BYTES, back, 0).await(Duration.ofSeconds(60));
            }
        } catch (SluiceException e) {
            System.out.println("ended: " + e.getMessage());
        }
    }
}
