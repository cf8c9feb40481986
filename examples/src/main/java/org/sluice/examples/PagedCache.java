package org.sluice.examples;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.sluice.Access;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Notification;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferOptions;

/** Moves the pages of one request between the paged KV caches of two nodes, and tells the other side which request it is. */
public final class PagedCache {
    private static final long PAGE = 16 << 10;
    private static final int PAGES = 4096;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private PagedCache() {}

    public static void main(String[] arguments) throws Exception {
        NodeConfig config = NodeConfig.builder().gpus(1).build();
        try (Node decode = Node.open(config);
                Node prefill = Node.open(config)) {
            CompletableFuture<Link> incoming = new CompletableFuture<>();
            decode.onLink(incoming::complete);
            InetSocketAddress at = decode.listen(new InetSocketAddress("127.0.0.1", 0));
            Link out = prefill.peer("127.0.0.1:" + at.getPort()).link(0, 0);
            Link in = incoming.get();

            Region cache = decode.allocate(0, PAGE * PAGES);
            RemoteRegion there = cache.share(Access.WRITE); // a real decode node tells the key by link.share
            Region pages = prefill.allocate(0, PAGE * PAGES);
            pages.fill(0, pages.size(), 7);

            int[] from = {17, 4, 2048, 5, 6}; // where prefill has the request's pages
            int[] to = {3, 900, 1, 901, 77}; // where decode has room for them
            out.write(
                    Layout.blocks(pages, 0, PAGE, from),
                    RemoteLayout.blocks(there, 0, PAGE, to),
                    TransferOptions.notifying("request 4711".getBytes(StandardCharsets.UTF_8)));

            Notification landed = in.nextNotification().get(LIMIT.toSeconds(), java.util.concurrent.TimeUnit.SECONDS);
            System.out.println(new String(landed.bytes(), StandardCharsets.UTF_8) + ": " + landed.length() + " bytes");
        }
    }
}
