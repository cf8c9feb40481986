package org.sluice.daemon;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ConfigException;
import org.sluice.Node;
import org.sluice.linux.LinuxException;

/** One node that serves other local processes. Any thread may use it; closing it is idempotent and ends every client. */
public final class Daemon implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Daemon.class);

    private final DaemonConfig config;
    private final Node node;
    private final Optional<InetSocketAddress> listens;
    private final Services services;
    private final Door door;
    private final ServingThread serving;
    private final ExecutorService work;
    private boolean closed;

    private Daemon(
            DaemonConfig config,
            Node node,
            Optional<InetSocketAddress> listens,
            Services services,
            Door door,
            ServingThread serving) {
        this.config = config;
        this.node = node;
        this.listens = listens;
        this.services = services;
        this.door = door;
        this.serving = serving;
        this.work = services.work();
    }

    /** @throws ConfigException when the socket, an address or a setting does not fit this machine */
    public static Daemon open(DaemonConfig config) {
        Door door = Door.open(config);
        try {
            return open(config, door);
        } catch (RuntimeException e) {
            door.close();
            throw e;
        }
    }

    private static Daemon open(DaemonConfig config, Door door) {
        Node node = Node.open(config.node());
        try {
            Mailboxes mailboxes = new Mailboxes();
            KeyRing keys = new KeyRing();
            LinkTable links = new LinkTable(node, mailboxes);
            Optional<InetSocketAddress> listens = config.listen().map(node::listen);
            Services services = new Services(
                    node,
                    links,
                    mailboxes,
                    keys,
                    new Registrar(node, keys, links),
                    new Dealer(),
                    new Copies(node),
                    Executors.newVirtualThreadPerTaskExecutor(),
                    config.quotas(),
                    config.transferDeadline(),
                    new SecureRandom().nextLong());
            links.serve();
            return new Daemon(config, node, listens, services, door, new ServingThread(door.socket(), services));
        } catch (LinuxException e) {
            node.close();
            throw new ConfigException("the daemon cannot serve: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            node.close();
            throw e;
        }
    }

    public Path socket() {
        return config.socket();
    }

    /** Where other daemons reach this one; empty where it takes no links. */
    public Optional<InetSocketAddress> listens() {
        return listens;
    }

    public Node node() {
        return node;
    }

    /** Who is there now. */
    public List<ClientStatus> clients() {
        return serving.visibleTo(0);
    }

    /** Whether everything that clients which are gone held is free. */
    public boolean buried() {
        return serving.isBuried();
    }

    /** The state as one JSON document. */
    public String status() {
        return StatusText.of(services, clients());
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        serving.close();
        door.close();
        services.copies().close();
        work.shutdownNow();
        try {
            node.close();
        } catch (IllegalStateException e) {
            log.warn("not all memory is free: {}", e.getMessage());
        }
    }
}
