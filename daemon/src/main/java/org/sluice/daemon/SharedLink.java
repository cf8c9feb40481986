package org.sluice.daemon;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.sluice.Link;
import org.sluice.LinkException;

/** A link of the node that clients use together. Counted by {@link LinkTable}. */
final class SharedLink {
    /** What makes two requests for a link ask for the same one. */
    record Route(String address, int localGpu, int remoteGpu) {}

    private final Route route;
    private final CompletableFuture<Link> link = new CompletableFuture<>();
    /** Guarded by the table. */
    private int users;

    private int keptLayouts;
    private long keptBytes;

    SharedLink(Route route) {
        this.route = route;
    }

    Route route() {
        return route;
    }

    int gpu() {
        return route.localGpu();
    }

    /** Completes when it is made. */
    CompletableFuture<Link> made() {
        return link;
    }

    /** @throws LinkException when it is not made */
    Link link() {
        @Nullable Link made = link.isCompletedExceptionally() ? null : link.getNow(null);
        if (made == null) {
            throw new LinkException("the link to " + route.address() + " is not there; ask for it again");
        }
        return made;
    }

    /** Takes room for layouts that the peer is told once. @return false where there is none */
    synchronized boolean take(int layouts, long bytes, int mostLayouts, long mostBytes) {
        if (keptLayouts + layouts > mostLayouts || keptBytes + bytes > mostBytes) {
            return false;
        }
        keptLayouts += layouts;
        keptBytes += bytes;
        return true;
    }

    synchronized void giveBack(int layouts, long bytes) {
        keptLayouts -= layouts;
        keptBytes -= bytes;
    }

    int changeUsers(int by) {
        users += by;
        return users;
    }
}
