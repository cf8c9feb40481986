package org.sluice.peer;

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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.LinkKey;
import org.sluice.wire.Offer;
import org.sluice.wire.SharedSecret;
import org.sluice.wire.Tls;

/**
 * The bootstrap ports of a node, one per GPU, and those who come to them. One thread accepts; each connection says its first
 * words on a virtual thread of its own, so that a stray or silent one costs nothing but itself. Those who get as far as an offer
 * wait in a queue for the node to accept them.
 */
final class BootstrapPorts implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(BootstrapPorts.class);

    /** Hello, proof and offer are three small messages: who needs longer is no Sluice client. */
    private static final Duration FIRST_WORDS = Duration.ofSeconds(5);

    private static final int QUEUED = 16;

    /** While the process has no descriptor left, asking the kernel again at once would only burn a CPU. */
    private static final long ACCEPT_PAUSE_MILLIS = 20;

    private final @Nullable Tls tls;
    private final @Nullable SharedSecret secret;
    private final boolean bare;
    private final Selector selector;
    private final List<ServerSocketChannel> ports = new ArrayList<>();
    private final List<BlockingQueue<LinkRequest>> requests = new ArrayList<>();
    private final List<BlockingQueue<SocketChannel>> bareClients = new ArrayList<>();
    private final Strangers strangers = new Strangers();
    private final @Nullable String[] taken;
    private final Thread thread;

    /** @param bare whether whoever connects is taken as it is, without a word (UCCL's format) */
    BootstrapPorts(int base, int gpus, @Nullable Tls tls, @Nullable SharedSecret secret, boolean bare) {
        this.tls = tls;
        this.secret = secret;
        this.bare = bare;
        this.taken = new String[gpus];
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new ConfigException("no selector: " + e.getMessage(), e);
        }
        try {
            for (int g = 0; g < gpus; g++) {
                requests.add(new ArrayBlockingQueue<>(QUEUED));
                bareClients.add(new ArrayBlockingQueue<>(1));
                ports.add(open(base + g, g));
            }
        } catch (RuntimeException e) {
            closeSockets();
            throw e;
        }
        this.thread = Thread.ofPlatform().name("bootstrap").daemon(true).start(this::run);
    }

    private ServerSocketChannel open(int port, int gpu) {
        try {
            ServerSocketChannel server = ServerSocketChannel.open();
            try {
                server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                server.bind(new InetSocketAddress(port), 128);
                server.configureBlocking(false);
                server.register(selector, SelectionKey.OP_ACCEPT, gpu);
                return server;
            } catch (IOException e) {
                server.close();
                throw e;
            }
        } catch (IOException e) {
            throw new ConfigException(
                    ErrorCode.RESOURCES,
                    Where.ofGpu(gpu),
                    "bootstrap port " + port + " cannot be opened (" + e.getMessage()
                            + "); another server runs here, or choose other ports with --port",
                    e);
        }
    }

    private void run() {
        try {
            while (selector.isOpen()) {
                selector.select(this::accept);
            }
        } catch (ClosedSelectorException e) {
            // closed: the end
        } catch (IOException e) {
            log.error("bootstrap ports failed: {}", e.toString());
        }
    }

    private void accept(SelectionKey key) {
        int gpu = (Integer) key.attachment();
        SocketChannel client = null;
        try {
            client = ((ServerSocketChannel) key.channel()).accept();
            if (client == null) {
                return;
            }
            SocketChannel stranger = client;
            InetAddress source = ((InetSocketAddress) client.getRemoteAddress()).getAddress();
            strangers.add(stranger, source);
            Thread.ofVirtual().name("gpu" + gpu + "-bootstrap").start(() -> firstWords(gpu, stranger, source));
        } catch (IOException e) {
            log.warn("GPU {}: a connection on the bootstrap port came to nothing: {}", gpu, e.toString());
            if (client != null) {
                quietly(client);
            } else {
                pause();
            }
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(ACCEPT_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void firstWords(int gpu, SocketChannel client, InetAddress source) {
        boolean kept = false;
        try {
            kept = bare ? bareClients.get(gpu).offer(client) : greet(gpu, client);
        } catch (SluiceException e) {
            log.info("GPU {}: connection from {} dropped: {}", gpu, source.getHostAddress(), e.what());
        } catch (IOException e) {
            // it left, or had to give way: a flood of them is not worth a line each
            log.debug("GPU {}: connection from {} lost: {}", gpu, source.getHostAddress(), e.toString());
        } finally {
            strangers.remove(client);
            if (!kept) {
                quietly(client);
            }
        }
    }

    private boolean greet(int gpu, SocketChannel client) throws IOException {
        Deadline deadline = Deadline.in(FIRST_WORDS);
        FrameSocket socket = tls == null
                ? new FrameSocket(client, deadline)
                : new FrameSocket(tls.accept(client, deadline), deadline);
        Offer offer;
        LinkKey key;
        try {
            key = Handshake.asServer(socket, secret);
            offer = Offer.decode(socket.read(FrameType.OFFER));
        } catch (SluiceException e) {
            socket.refuse(e.what());
            throw e;
        }
        String why = enqueue(new LinkRequest(gpu, socket, offer, key));
        if (why != null) {
            socket.refuse(why);
        }
        return why == null;
    }

    /** @return why not, null when it waits now. Synchronized with {@link #take}, so that nobody is left in a queue unheard. */
    private synchronized @Nullable String enqueue(LinkRequest request) {
        String holder = taken[request.gpu()];
        if (holder != null) {
            return takenBy(request.gpu(), holder);
        }
        return requests.get(request.gpu()).offer(request)
                ? null
                : "GPU " + request.gpu() + " of this server has " + QUEUED + " clients waiting already";
    }

    private static String takenBy(int gpu, String holder) {
        return "GPU " + gpu + " of this server is taken by " + holder;
    }

    /** From now on clients of this GPU are refused, since {@code holder} has it. */
    synchronized void take(int gpu, String holder) {
        taken[gpu] = holder;
        for (LinkRequest r = requests.get(gpu).poll();
                r != null;
                r = requests.get(gpu).poll()) {
            r.socket().refuse(takenBy(gpu, holder));
            quietly(r.socket());
        }
    }

    /** Its link is over: the GPU may be had again. */
    synchronized void release(int gpu) {
        taken[gpu] = null;
    }

    /** The next client of a GPU. @return null when none came in time @throws ClosedException when none can come any more */
    @Nullable LinkRequest await(int gpu, Duration atMost) throws InterruptedException {
        expectOpen(gpu);
        return requests.get(gpu).poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Clients that have made an offer and have not been taken up. */
    int waiting(int gpu) {
        return requests.get(gpu).size();
    }

    @Nullable SocketChannel awaitBare(int gpu, Duration atMost) throws InterruptedException {
        expectOpen(gpu);
        return bareClients.get(gpu).poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void expectOpen(int gpu) {
        if (!selector.isOpen()) {
            throw new ClosedException(
                    Where.ofGpu(gpu).phase(Where.Phase.BOOTSTRAP), "the node was closed while it waited for a client");
        }
    }

    private void closeSockets() {
        for (ServerSocketChannel s : ports) {
            quietly(s);
        }
        quietly(selector);
    }

    private static void quietly(AutoCloseable c) {
        try {
            c.close();
        } catch (Exception e) {
            log.debug("while closing: {}", e.toString());
        }
    }

    @Override
    public void close() {
        closeSockets();
        strangers.close();
        for (BlockingQueue<LinkRequest> q : requests) {
            q.forEach(r -> quietly(r.socket()));
        }
        for (BlockingQueue<SocketChannel> q : bareClients) {
            q.forEach(BootstrapPorts::quietly);
        }
        try {
            thread.join(1000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
