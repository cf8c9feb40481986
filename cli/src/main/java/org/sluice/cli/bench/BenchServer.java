package org.sluice.cli.bench;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.NotDoneException;
import org.sluice.ProtocolException;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.cli.common.HostMemoryCheck;

/** The measured side: shares a region of the size that the client's note asks for, with one client after another. */
final class BenchServer {
    /** The name under which the region is shared. */
    static final String REGION = "sluice-bench/1";

    private static final String RECEIVE = "receive";

    private BenchServer() {}

    static byte[] note(long bytes) {
        return (REGION + " " + bytes).getBytes(StandardCharsets.UTF_8);
    }

    /** Serves until no client has come for as long as the configuration says, which is the exception that ends it. */
    static void serve(NodeConfig config) {
        try (Node node = Node.open(config)) {
            node.bind();
            while (true) {
                Link link = node.accept(0);
                try (Region region = node.allocate(0, asked(link, node))) {
                    region.fill(0, region.size(), 0); // every page is there before the clock runs
                    link.share(REGION, region);
                    new Receiving(link, region).run();
                }
            }
        }
    }

    /** What the client says before it sends: sizes, and by what the order of blocks is drawn. */
    static byte[] receive(long size, long seed, BenchWork work) {
        return (RECEIVE + " " + size + " " + seed + " " + work.blockBytes() + " " + work.shuffle())
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Keeps receives posted for what the client says it will send, until the link ends. One thread, and the agent's. */
    private static final class Receiving {
        /** As many as a client may have under way. */
        private static final int POSTED = 64;

        private final Link link;
        private final Region region;
        private volatile long tag;

        Receiving(Link link, Region region) {
            this.link = link;
            this.region = region;
        }

        void run() {
            while (!link.ended().isDone()) {
                try {
                    begin(new String(link.awaitNote(Duration.ofSeconds(1)), StandardCharsets.UTF_8).split(" "));
                } catch (NotDoneException e) {
                    // nothing to receive: it writes or reads
                } catch (SluiceException e) {
                    return;
                }
            }
        }

        private void begin(String[] words) {
            if (words.length != 5 || !words[0].equals(RECEIVE)) {
                throw new ProtocolException("the client " + link.peer() + " is no 'sluice bench' of this version");
            }
            long size = Long.parseLong(words[1]);
            tag = Long.parseLong(words[2]);
            BenchWork work =
                    new BenchWork(BenchWork.Op.SEND, Long.parseLong(words[3]), Boolean.parseBoolean(words[4]), false);
            BenchWork.Orders orders = work.orders(size, tag);
            AtomicInteger sequence = new AtomicInteger();
            for (int i = 0; i < POSTED; i++) {
                post(orders, sequence, tag);
            }
        }

        private void post(BenchWork.Orders orders, AtomicInteger sequence, long of) {
            if (tag == of) {
                link.receive(orders.target(region, sequence.getAndIncrement()), TransferOptions.tagged(of))
                        .future()
                        .thenRun(() -> post(orders, sequence, of));
            }
        }
    }

    private static long asked(Link link, Node node) {
        String note = new String(link.offeredNote(), StandardCharsets.UTF_8);
        long bytes;
        try {
            bytes = note.startsWith(REGION + " ") ? Long.parseLong(note.substring(REGION.length() + 1)) : 0;
        } catch (NumberFormatException e) {
            bytes = 0;
        }
        if (bytes < 1) {
            throw new ProtocolException("the client " + link.peer() + " is no 'sluice bench' of this version");
        }
        if (node.backend().equals("host")) {
            HostMemoryCheck.needs(bytes, "a benchmark of the client " + link.peer());
        }
        return bytes;
    }
}
