package org.sluice.ipc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Epoll;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;
import org.sluice.spi.PartsConnection;
import org.sluice.spi.PartsDoor;
import org.sluice.spi.PartsListener;
import org.sluice.spi.PullTransport;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/**
 * One socket of the process that others come to, and one thread that looks after it and after every connection. Who comes is of the same
 * user, as the kernel says, and shows the secret of a door within {@link #GREETING_MILLIS}.
 */
final class IpcTransport implements PullTransport {
    private static final Logger log = LoggerFactory.getLogger(IpcTransport.class);

    private static final int VERSION = 1;
    private static final int HANDLE_HEAD = 1 + PartFrames.TOKEN_BYTES;
    private static final long SOCKET_TOKEN = 0;
    private static final long WAKE_TOKEN = 1;
    private static final int GREETING_MILLIS = 5_000;

    /** Who has come and not said who it is; more are turned away. */
    private static final int MOST_STRANGERS = 64;

    private static final SecureRandom RANDOM = new SecureRandom();

    private final PrivateDirectory directory;
    private final int user;
    private final Epoll epoll;
    private final EventFd wake;
    private final Thread thread;
    private final AtomicLong numbers = new AtomicLong(WAKE_TOKEN + 1);
    private final Map<Secret, Door> doors = new ConcurrentHashMap<>();
    private final Map<Long, IpcConnection> connections = new ConcurrentHashMap<>();
    /** Who is to be looked at: something to send, or to be closed. */
    private final ConcurrentLinkedQueue<IpcConnection> called = new ConcurrentLinkedQueue<>();

    private volatile boolean closed;

    private record Secret(ByteBuffer token) {}

    IpcTransport(PrivateDirectory directory) throws TransportException, LinuxException {
        this.directory = directory;
        Epoll opened = null;
        EventFd bell = null;
        try {
            this.user = PrivateDirectory.uid();
            opened = Epoll.open();
            bell = EventFd.open();
            opened.add(directory.socket().fd(), Epoll.IN, SOCKET_TOKEN);
            opened.add(bell.fd(), Epoll.IN, WAKE_TOKEN);
            this.epoll = opened;
            this.wake = bell;
            this.thread = Thread.ofPlatform().name("ipc-parts").daemon(true).unstarted(this::run);
            Threads.start(thread);
        } catch (IOException | ThreadLimitException e) {
            if (bell != null) {
                bell.close();
            }
            if (opened != null) {
                opened.close();
            }
            directory.close();
            throw new TransportException("the transport ipc cannot be opened: " + e.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return IpcTransportProvider.NAME;
    }

    private final class Door implements PartsDoor {
        private final byte[] token = new byte[PartFrames.TOKEN_BYTES];
        private final PartsListener told;

        Door(PartsListener told) {
            RANDOM.nextBytes(token);
            this.told = told;
        }

        private Secret secret() {
            return new Secret(ByteBuffer.wrap(token));
        }

        @Override
        public byte[] handle() {
            byte[] path = directory.path().toString().getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.allocate(HANDLE_HEAD + path.length)
                    .put((byte) VERSION)
                    .put(token)
                    .put(path)
                    .array();
        }

        @Override
        public void close() {
            doors.remove(secret(), this);
        }
    }

    @Override
    public PartsDoor listen(PartsListener told) {
        Door door = new Door(told);
        doors.put(door.secret(), door);
        return door;
    }

    @Override
    public PartsConnection connect(byte[] handle, PartsListener told) throws TransportException {
        if (handle.length <= HANDLE_HEAD || handle.length > Transport.MAX_HANDLE_BYTES || handle[0] != VERSION) {
            throw new TransportException("the peer's door is none that this version knows");
        }
        byte[] token = new byte[PartFrames.TOKEN_BYTES];
        System.arraycopy(handle, 1, token, 0, token.length);
        String path = new String(handle, HANDLE_HEAD, handle.length - HANDLE_HEAD, StandardCharsets.UTF_8);
        try {
            UnixSocket socket = UnixSocket.connect(Path.of(path));
            try {
                IpcConnection c = added(socket, told);
                c.greet(token);
                return c;
            } catch (LinuxException | RuntimeException e) {
                socket.close();
                throw e;
            }
        } catch (LinuxException | IllegalArgumentException e) {
            throw new TransportException(
                    "the peer's socket cannot be reached (" + e.getMessage()
                            + "): it is another user's, or in a directory that this process does not see",
                    e);
        }
    }

    /** @param told null for who has yet to say whom it comes for */
    private IpcConnection added(UnixSocket socket, @Nullable PartsListener told) throws LinuxException {
        int uid = socket.peer().uid();
        if (uid != user) {
            throw new LinuxException(
                    "the other process is of user " + uid + ", this one of user " + user, IpcConnection.NOT_PERMITTED);
        }
        long number = numbers.incrementAndGet();
        IpcConnection c = new IpcConnection(this, socket, number, socket.peer().pid(), told);
        connections.put(number, c);
        epoll.add(socket.fd(), Epoll.IN, number);
        return c;
    }

    /** Whom somebody comes for who shows this token, once. */
    @Nullable PartsListener expected(byte[] token) {
        Door door = doors.remove(new Secret(ByteBuffer.wrap(token)));
        return door == null ? null : door.told;
    }

    /** A connection has something to send, or is to be closed. Any thread. */
    void call(IpcConnection c) {
        called.add(c);
        wake.signal();
    }

    void interest(IpcConnection c, UnixSocket socket, boolean toSend) throws LinuxException {
        epoll.change(socket.fd(), toSend ? Epoll.IN | Epoll.OUT : Epoll.IN, c.number());
    }

    void forget(IpcConnection c, UnixSocket socket) {
        if (connections.remove(c.number(), c)) {
            try {
                epoll.remove(socket.fd());
            } catch (LinuxException e) {
                log.debug("{}: {}", c.peer(), e.toString());
            }
        }
    }

    private void run() {
        Map<Long, Integer> ready = new HashMap<>();
        while (!closed) {
            try {
                epoll.await(GREETING_MILLIS / 5, ready::put);
                if (ready.containsKey(WAKE_TOKEN)) {
                    wake.clear();
                }
                if (ready.containsKey(SOCKET_TOKEN)) {
                    accept();
                }
                for (Map.Entry<Long, Integer> e : ready.entrySet()) {
                    IpcConnection c = connections.get(e.getKey());
                    if (c != null) {
                        c.turn((e.getValue() & ~Epoll.OUT) != 0);
                    }
                }
                ready.clear();
                for (IpcConnection c = called.poll(); c != null; c = called.poll()) {
                    c.turn(false);
                }
                dropSilent();
            } catch (LinuxException | RuntimeException e) {
                log.error("ipc-parts: {}", e.toString(), e);
                ready.clear();
            }
        }
        for (IpcConnection c : List.copyOf(connections.values())) {
            c.end("this side's transport is closed");
        }
        epoll.close();
        wake.close();
        directory.close();
    }

    private void accept() throws LinuxException {
        for (UnixSocket s = directory.socket().accept();
                s != null;
                s = directory.socket().accept()) {
            long strangers = connections.values().stream()
                    .filter(IpcConnection::isStranger)
                    .count();
            try {
                if (strangers >= MOST_STRANGERS) {
                    throw new LinuxException("too many have come who do not say why", IpcConnection.NOT_PERMITTED);
                }
                added(s, null);
            } catch (LinuxException e) {
                log.warn("ipc: a process is turned away: {}", e.getMessage());
                s.close();
            }
        }
    }

    private void dropSilent() {
        List<IpcConnection> silent = new ArrayList<>();
        connections.values().forEach(c -> {
            if (c.isStranger() && c.ageMillis() > GREETING_MILLIS) {
                silent.add(c);
            }
        });
        silent.forEach(c -> c.end("it did not say whom it comes for"));
    }

    @Override
    public void close() {
        closed = true;
        if (thread.isAlive()) {
            wake.signal();
            try {
                thread.join(1000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
