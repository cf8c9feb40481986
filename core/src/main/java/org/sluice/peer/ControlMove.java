package org.sluice.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.Threads;
import org.sluice.transfer.Agent;
import org.sluice.wire.ControlStream;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.Introduction;
import org.sluice.wire.MovableStream;
import org.sluice.wire.Resume;
import org.sluice.wire.SharedSecret;
import org.sluice.wire.Tls;

/**
 * The client's search for another way for the control connection of a link, over any NIC of the server's: all are tried side by side,
 * each on a virtual thread, and the first that gets through the hellos is taken. {@link #start} and what it leads to belong to the
 * agent.
 */
final class ControlMove {
    private static final Logger log = LoggerFactory.getLogger(ControlMove.class);

    /** Of one try: a way that needs longer is not the one to move to. */
    private static final Duration TRY = Duration.ofSeconds(1);

    /** Between tries, where none came through. */
    private static final long PAUSE_NANOS = 250_000_000;

    /** Who goes on over the new connection. */
    interface Mover {
        /** @param toldTaken what the peer was told this side has; {@code peerTaken} what it has */
        void moved(ControlStream next, long toldTaken, long peerTaken);
    }

    private final Agent agent;
    private final @Nullable Tls tls;
    private final @Nullable SharedSecret secret;
    private final Introduction link;
    private final List<InetAddress> addresses;
    private final int port;
    private final Where where;
    private final AtomicInteger trying = new AtomicInteger();
    /**
     * Whether the server may have moved, and closed the old connection, without this side having moved too: it was asked to, and its
     * answer may come late or never.
     */
    private volatile boolean unsure;

    private long triedAt;

    /** @param addresses of the server's NICs, and {@code port} where it takes those who come */
    ControlMove(
            Agent agent,
            @Nullable Tls tls,
            @Nullable SharedSecret secret,
            Introduction link,
            List<InetAddress> addresses,
            int port,
            Where where) {
        this.agent = agent;
        this.tls = tls;
        this.secret = secret;
        this.link = link;
        this.addresses = List.copyOf(addresses);
        this.port = port;
        this.where = where;
    }

    /** Begins to look, unless it does already or has just found nothing. @param now {@link System#nanoTime} */
    void start(MovableStream stream, Mover mover, long now) {
        if (trying.get() > 0 || (triedAt != 0 && now - triedAt < PAUSE_NANOS)) {
            return;
        }
        triedAt = now;
        trying.set(addresses.size());
        log.info("{}: the control connection is silent; looking for another way to the peer", where);
        AtomicBoolean found = new AtomicBoolean();
        for (InetAddress address : addresses) {
            Threads.startVirtual("control-move", () -> attempt(address, stream, mover, found));
        }
    }

    /** Whether the end of the old connection may be the move's doing. Any thread. */
    boolean isUnsure() {
        return unsure;
    }

    private void attempt(InetAddress address, MovableStream stream, Mover mover, AtomicBoolean found) {
        Deadline deadline = Deadline.in(TRY);
        boolean kept = false;
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open();
            channel.socket().connect(new InetSocketAddress(address, port), deadline.remainingMillis());
            FrameSocket socket = tls == null
                    ? new FrameSocket(channel, deadline)
                    : new FrameSocket(tls.connect(channel, deadline), deadline);
            Introduction on = Handshake.asClient(socket, secret);
            if (found.compareAndSet(false, true)) {
                resume(socket, on, stream, mover, deadline);
                kept = true;
            }
        } catch (IOException | SluiceException e) {
            log.debug("{}: no way to the peer over {}: {}", where, address.getHostAddress(), e.toString());
        } finally {
            trying.decrementAndGet();
            if (!kept) {
                close(channel);
            }
        }
    }

    private void resume(FrameSocket socket, Introduction on, MovableStream stream, Mover mover, Deadline deadline)
            throws IOException {
        long told = onAgent(stream::taken, deadline);
        unsure = true;
        socket.write(FrameType.RESUME, Resume.of(true, link, told, on).encode());
        Resume answer = Resume.decode(socket.read(FrameType.RESUME));
        if (!answer.isProven(false, link, on)) {
            throw new LinkException(where, "whoever answered at " + socket.peer() + " does not have the link's key");
        }
        socket.stream().socket().configureBlocking(false);
        boolean ignored = onAgent(
                () -> {
                    mover.moved(socket.stream(), told, answer.taken());
                    unsure = false;
                    return true;
                },
                deadline);
        log.warn("{}: the control connection goes on with {}", where, socket.peer());
    }

    private <T> T onAgent(Callable<T> step, Deadline deadline) throws IOException {
        try {
            return agent.call("a step of moving the control connection", step)
                    .get(deadline.remainingMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the agent did not take the new connection: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void close(@Nullable SocketChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // being dropped
        }
    }
}
