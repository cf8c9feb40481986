package org.sluice.daemon;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NotDoneException;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.spi.Threads;

/** The node's links: those that clients ask for, each made once and shared, and those that other nodes made. Any thread. */
final class LinkTable {
    private static final Logger log = LoggerFactory.getLogger(LinkTable.class);

    /** A note is waited for this long at a time; the link's end is seen at once. */
    private static final Duration NOTE_WAIT = Duration.ofHours(1);

    private final Node node;
    private final Mailboxes mailboxes;
    private final Map<SharedLink.Route, SharedLink> links = new HashMap<>();
    /** Routes and addresses that are being given up: who wants them anew waits until they are. Guarded by {@link #links}. */
    private final Set<Object> leaving = new HashSet<>();

    private final Set<Link> all = ConcurrentHashMap.newKeySet();
    private final Map<String, Region> shared = new ConcurrentHashMap<>();

    LinkTable(Node node, Mailboxes mailboxes) {
        this.node = node;
        this.mailboxes = mailboxes;
    }

    /** Takes links that other nodes make. */
    void serve() {
        node.onLink(this::adopt);
    }

    /**
     * A link to a peer, made now where there is none. Waits.
     *
     * @param made run when its making has ended, which may be after this has given up
     * @throws ClientException when it is not there in time
     * @throws RuntimeException why it cannot be made
     */
    SharedLink open(SharedLink.Route route, long millis, Runnable made) {
        SharedLink link;
        boolean mine;
        synchronized (links) {
            @Nullable SharedLink there = links.get(route);
            mine = there == null;
            link = there == null ? new SharedLink(route) : there;
            links.put(route, link);
            link.changeUsers(1);
        }
        if (mine) {
            make(link);
        }
        link.made().whenComplete((l, why) -> made.run());
        try {
            link.made().get(millis, TimeUnit.MILLISECONDS);
            return link;
        } catch (TimeoutException e) {
            close(link);
            throw new ClientException(
                    Status.DEADLINE,
                    "no link to " + route.address() + " within " + millis + " ms; is a daemon there?",
                    e);
        } catch (ExecutionException e) {
            close(link);
            if (e.getCause() instanceof RuntimeException r) {
                throw r;
            }
            throw new ClientException(Status.INTERNAL, String.valueOf(e.getCause()), e);
        } catch (InterruptedException e) {
            close(link);
            Thread.currentThread().interrupt();
            throw new ClientException(Status.GOING, "the daemon is going", e);
        }
    }

    private void make(SharedLink link) {
        Thread.ofPlatform().daemon(true).name("daemon-link").start(() -> {
            SharedLink.Route route = link.route();
            try {
                awaitLeaving(route);
                Link l = node.peer(route.address()).link(route.localGpu(), route.remoteGpu());
                adopt(l);
                l.ended().thenAccept(why -> forget(link));
                link.made().complete(l);
            } catch (RuntimeException e) {
                forget(link);
                link.made().completeExceptionally(e);
            }
        });
    }

    /** The node gives who asks the link that there is, also the one that is about to be closed. */
    private void awaitLeaving(SharedLink.Route route) {
        boolean interrupted = false;
        synchronized (links) {
            while (leaving.contains(route) || leaving.contains(route.address())) {
                try {
                    links.wait();
                } catch (InterruptedException e) {
                    interrupted = true; // nobody does; what is waited for comes
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void left(Object routeOrAddress) {
        synchronized (links) {
            leaving.remove(routeOrAddress);
            links.notifyAll();
        }
    }

    private void forget(SharedLink link) {
        synchronized (links) {
            links.remove(link.route(), link);
        }
    }

    /** One client less uses it; the last one closes it. */
    void close(SharedLink link) {
        synchronized (links) {
            if (link.changeUsers(-1) > 0) {
                return;
            }
            if (!links.remove(link.route(), link)) {
                return; // it has ended, or was never made
            }
            leaving.add(link.route());
        }
        link.made().whenComplete((l, why) -> {
            if (why != null) {
                left(link.route());
                return;
            }
            Thread.ofPlatform().daemon(true).name("daemon-unlink").start(() -> close(link.route(), l));
        });
    }

    private void close(SharedLink.Route route, Link link) {
        try {
            link.close();
        } finally {
            left(route);
        }
        String address = route.address();
        synchronized (links) {
            if (links.keySet().stream().anyMatch(r -> r.address().equals(address)) || !leaving.add(address)) {
                return;
            }
        }
        try {
            if (node.peer(address).links().isEmpty()) {
                node.peer(address).close(); // addresses that clients once named do not pile up
            }
        } finally {
            left(address);
        }
    }

    private void adopt(Link link) {
        all.add(link);
        link.ended().thenAccept(why -> {
            all.remove(link);
            log.info("link to {} ended: {}", link.peer(), why.getMessage());
        });
        shared.forEach(link::share);
        link.onNotification(n -> notified(link, n.bytes()));
        Threads.startVirtual("daemon-notes", () -> readNotes(link));
    }

    /** Notifications that came without bytes, or after a request of several transfers. */
    private void readNotes(Link link) {
        while (true) {
            try {
                notified(link, link.awaitNote(NOTE_WAIT));
            } catch (NotDoneException e) {
                // nothing to tell for so long
            } catch (SluiceException e) {
                return; // the link has ended
            }
        }
    }

    private void notified(Link link, byte[] sent) {
        @Nullable Notification n = Notification.decode(sent);
        if (n == null) {
            log.warn("{} sent something that is no notification of a daemon's; it runs another release", link.peer());
        } else {
            mailboxes.deliver(n);
        }
    }

    /** Gives every peer, now and later, the key of memory under a name. @throws ClientException when the name is taken */
    void share(String name, Region region) {
        if (shared.putIfAbsent(name, region) != null) {
            throw new ClientException(Status.IN_USE, "the name is taken");
        }
        all.forEach(l -> l.share(name, region));
    }

    void unshare(String name) {
        if (shared.remove(name) != null) {
            all.forEach(l -> l.withdraw(name));
        }
    }

    /** Links that are there, in words. */
    List<String> names() {
        List<String> names = new ArrayList<>();
        all.forEach(l -> names.add("GPU " + l.gpu() + " to " + l.peer()));
        return names;
    }
}
