package org.sluice.cli.bench;

import java.nio.charset.StandardCharsets;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.ProtocolException;
import org.sluice.Region;
import org.sluice.cli.common.HostMemoryCheck;

/** The measured side: shares a region of the size that the client's note asks for, with one client after another. */
final class BenchServer {
    /** The name under which the region is shared. */
    static final String REGION = "sluice-bench/1";

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
                    link.ended().join();
                }
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
