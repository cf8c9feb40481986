package org.sluice.peer;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.Introduction;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;
import org.sluice.wire.Resume;
import org.sluice.wire.SharedSecret;
import org.sluice.wire.Target;
import org.sluice.wire.Tls;

/**
 * Where clients come in: listening sockets and those who come to them. One thread accepts; each connection says its first words on
 * a virtual thread of its own, so that a stray or silent one costs nothing but itself. Those who get as far as an offer are handed
 * to the {@link Desk}.
 */
final class Reception implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Reception.class);

    /** Hello, proof and offer are three small messages: who needs longer is no Sluice client. */
    private static final Duration FIRST_WORDS = Duration.ofSeconds(5);

    /** While the process has no descriptor left, asking the kernel again at once would only burn a CPU. */
    private static final long ACCEPT_PAUSE_MILLIS = 20;

    /** Connections that the kernel holds for one door while the thread is busy: a cluster that starts comes all at once. */
    private static final int BACKLOG = 1024;

    private final Settings settings;
    private final Desk desk;
    private final Selector selector;
    private final List<ServerSocketChannel> doors = new CopyOnWriteArrayList<>();
    private final Strangers strangers = new Strangers();

    /** Clients that have said who they are and try rails before they make their offer. */
    private final Strangers trying = new Strangers();

    private final Thread thread;
    private volatile @Nullable String broken;

    /**
     * What those who come need to be let in.
     *
     * @param tls where control connections are protected, else null
     * @param secret what both must prove, null for nothing
     * @param rails says who this node is
     * @param resumptions the links whose control connections may come again
     * @param offerWait how long a client may try rails before it makes its offer
     */
    record Settings(
            @Nullable Tls tls,
            @Nullable SharedSecret secret,
            RailBook rails,
            Resumptions resumptions,
            Duration offerWait) {}

    /**
     * @param name of the thread that accepts
     */
    Reception(String name, Settings settings, Desk desk) {
        this.settings = settings;
        this.desk = desk;
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new ConfigException("no selector: " + e.getMessage(), e);
        }
        this.thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::run);
        try {
            Threads.prepareVirtual();
            Threads.start(thread);
        } catch (ThreadLimitException e) {
            quietly(selector);
            throw new ConfigException(ErrorCode.RESOURCES, Where.NOWHERE, String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Opens a door.
     *
     * @param door what is known of whoever comes through it
     * @return where it listens: the port that was free, where 0 was asked for
     */
    InetSocketAddress open(InetSocketAddress address, Door door) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        try {
            server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            server.bind(address, BACKLOG);
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT, door);
            selector.wakeup();
            doors.add(server);
            return (InetSocketAddress) server.getLocalAddress();
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /** What a listening socket says of those who connect to it. */
    sealed interface Door {
        /** The seed's: a port for each GPU. */
        record OfGpu(int gpu) implements Door {
            @Override
            public String toString() {
                return "GPU " + gpu;
            }
        }

        /** A port for the whole node: the client says which GPU it wants. */
        record OfNode() implements Door {
            @Override
            public String toString() {
                return "node port";
            }
        }
    }

    private void run() {
        try {
            while (selector.isOpen()) {
                selector.select(this::accept);
            }
        } catch (ClosedSelectorException e) {
            // closed: the end
        } catch (Throwable e) {
            broken = e.toString();
            log.error("{}: nobody is let in any more: {}", thread.getName(), broken, e);
        }
    }

    /** Throws when who should come was turned away or cannot come any more: who waits for that client would wait in vain. */
    void expectOpen(int gpu) {
        Where where = Where.ofGpu(gpu).phase(Where.Phase.BOOTSTRAP);
        String why = broken;
        if (why != null) {
            throw new LinkException(ErrorCode.RESOURCES, where, "a client could not be let in: " + why);
        }
        if (!selector.isOpen()) {
            throw new ClosedException(where, "the node was closed while it waited for a client");
        }
    }

    private void accept(SelectionKey key) {
        Door door = (Door) key.attachment();
        SocketChannel client = null;
        try {
            client = ((ServerSocketChannel) key.channel()).accept();
            if (client == null) {
                return;
            }
            SocketChannel stranger = client;
            InetAddress source = ((InetSocketAddress) client.getRemoteAddress()).getAddress();
            strangers.add(stranger, source);
            Threads.startVirtual("first-words", () -> firstWords(door, stranger, source));
        } catch (IOException e) {
            log.warn("{}: a connection came to nothing: {}", door, e.toString());
            if (client != null) {
                quietly(client);
            } else {
                pause();
            }
        } catch (ThreadLimitException e) {
            // no thread for its first words: it is lost, the next may have more luck, and who waits for it alone is
            // told
            broken = e.getMessage();
            log.error("{}: a client is turned away: {}", door, broken);
            if (client != null) {
                strangers.remove(client);
                quietly(client);
            }
            pause();
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(ACCEPT_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void firstWords(Door door, SocketChannel client, InetAddress source) {
        boolean kept = false;
        try {
            kept = (desk.isBare() && door instanceof Door.OfGpu g)
                    ? desk.takeBare(g.gpu(), client)
                    : greet(door, client, source);
        } catch (SluiceException e) {
            log.info("{}: connection from {} dropped: {}", door, source.getHostAddress(), e.getMessage());
        } catch (IOException e) {
            // it left, or had to give way: a flood of them is not worth a line each
            log.debug("{}: connection from {} lost: {}", door, source.getHostAddress(), e.toString());
        } finally {
            strangers.remove(client);
            trying.remove(client);
            if (!kept) {
                quietly(client);
            }
        }
    }

    private boolean greet(Door door, SocketChannel client, InetAddress source) throws IOException {
        Deadline deadline = Deadline.in(FIRST_WORDS);
        Tls tls = settings.tls();
        FrameSocket socket = tls == null
                ? new FrameSocket(client, deadline)
                : new FrameSocket(tls.accept(client, deadline), deadline);
        LinkRequest request;
        try {
            Introduction introduction = Handshake.asServer(socket, settings.secret());
            FrameSocket.Frame first = socket.read(Set.of(FrameType.IDENTITY, FrameType.RESUME));
            if (first.type() == FrameType.RESUME) {
                strangers.remove(client);
                settings.resumptions().resume(socket, Resume.decode(first.payload()), introduction);
                return true;
            }
            NodeIdentity peer = NodeIdentity.decode(first.payload());
            strangers.introduced(client);
            // who has heard who this node is may count on it; until then it is a stranger, who tries again when dropped
            if (!trying.await(client, source, Deadline.in(settings.offerWait()))) {
                throw new EOFException("no place among those who try rails");
            }
            strangers.remove(client);
            RailBook rails = settings.rails();
            socket = socket.until(Deadline.in(settings.offerWait()));
            socket.write(FrameType.IDENTITY, rails.introducedTo(peer).encode());
            int gpu;
            Offer offer;
            try {
                gpu = door instanceof Door.OfGpu g
                        ? g.gpu()
                        : Target.decode(socket.read(FrameType.TARGET)).gpu();
                offer = Offer.decode(socket.read(FrameType.OFFER), rails.self().nics(), peer.nics());
            } catch (IOException | SluiceException e) {
                if (door instanceof Door.OfGpu g) {
                    desk.left(g.gpu(), socket.peer(), e instanceof SluiceException s ? s.what() : e.getMessage());
                }
                throw e;
            }
            request = new LinkRequest(gpu, socket, peer, offer, introduction);
        } catch (SluiceException e) {
            socket.refuse(e.what());
            throw e;
        }
        trying.remove(client);
        String why = desk.take(request);
        if (why != null) {
            socket.refuse(why);
        }
        return why == null;
    }

    static void quietly(AutoCloseable c) {
        try {
            c.close();
        } catch (Exception e) {
            log.debug("while closing: {}", e.toString());
        }
    }

    @Override
    public void close() {
        doors.forEach(Reception::quietly);
        quietly(selector);
        strangers.close();
        trying.close();
        try {
            thread.join(1000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
