package org.sluice.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Descriptor;
import org.sluice.linux.Epoll;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;
import org.sluice.linux.PidFd;
import org.sluice.linux.UnixSocket;

/**
 * The thread that serves all clients: it takes what they submit, reads their sockets, and sleeps when there is nothing. It never waits
 * for a client, a link or a transfer.
 */
final class ServingThread implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ServingThread.class);

    private static final long LISTENER = -1;
    private static final long WAKE = -2;
    private static final int KINDS = 4;
    private static final int SOCKET = 0;
    private static final int BELL = 1;
    private static final int PROCESS = 2;
    /** How long it looks for more before it sleeps: who has just posted is likely to post again. */
    private static final long SPIN_NANOS = 100_000;
    /** Where CPUs are few, it lets others go first in between. */
    private static final boolean FEW_CPUS = Runtime.getRuntime().availableProcessors() <= 4;
    /** How often it looks at sockets while rings keep it busy. */
    private static final long LOOK_NANOS = 100_000;

    private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int HELLO_LOOK_MILLIS = 500;

    /** A client that has connected; it has a session once it has said hello. */
    private static final class Entry {
        private final Connection connection;
        private Optional<ClientSession> session = Optional.empty();
        private Optional<Descriptor> process = Optional.empty();
        private boolean paused;

        Entry(Connection connection) {
            this.connection = connection;
        }
    }

    private final UnixSocket listener;
    private final Services services;
    private final Requests requests;
    private final Epoll epoll;
    private final EventFd wake;
    private final Map<Long, Entry> entries = new HashMap<>();
    private final List<ClientSession> sessions = new ArrayList<>();
    private final Map<Long, ClientSession> visible = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Long> resume = new ConcurrentLinkedQueue<>();
    private final AtomicInteger burying = new AtomicInteger();
    private final Thread thread;
    private long next = 1;
    private int strangers;
    private volatile boolean closing;

    ServingThread(UnixSocket listener, Services services) throws LinuxException {
        this.listener = listener;
        this.services = services;
        this.requests = new Requests(services, this::visibleTo);
        this.epoll = Epoll.open();
        this.wake = EventFd.open();
        epoll.add(listener.fd(), Epoll.IN, LISTENER);
        epoll.add(wake.fd(), Epoll.IN, WAKE);
        this.thread = Thread.ofPlatform().name("daemon-serve").daemon(true).unstarted(this::run);
        thread.start();
    }

    /** Clients that this user may see: its own, and all of them for root. Any thread. */
    List<ClientStatus> visibleTo(int uid) {
        return visible.values().stream()
                .map(ClientSession::status)
                .filter(s -> uid == 0 || s.uid() == uid)
                .toList();
    }

    /** Whether everything of the clients that have gone is free. Any thread. */
    boolean isBuried() {
        return burying.get() == 0;
    }

    private void run() {
        try {
            long idleSince = System.nanoTime();
            long lookedAt = idleSince;
            while (!closing) {
                boolean any = turn();
                long now = System.nanoTime();
                if (any) {
                    idleSince = now;
                }
                if (!any && now - idleSince >= SPIN_NANOS) {
                    sleep();
                    idleSince = System.nanoTime() - SPIN_NANOS;
                    lookedAt = idleSince;
                } else if (now - lookedAt > LOOK_NANOS) {
                    epoll.await(0, this::ready);
                    lookedAt = now;
                } else if (!any) {
                    pause();
                }
            }
        } catch (LinuxException | RuntimeException | Error e) {
            if (!closing) {
                log.error("the serving thread has died; the daemon serves nobody any more", e);
            }
        } finally {
            List.copyOf(entries.values()).forEach(e -> end(e, "the daemon is going"));
        }
    }

    @SuppressWarnings("ThreadPriorityCheck")
    private static void pause() {
        if (FEW_CPUS) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    private boolean turn() {
        boolean any = false;
        for (int i = 0; i < sessions.size(); i++) {
            ClientSession session = sessions.get(i);
            try {
                any |= session.turn();
            } catch (Violation e) {
                end(entry(session), e.getMessage());
                return true;
            } catch (OutOfMemoryError e) {
                // what it asked for did not fit; whoever asks for that much goes, and the others stay
                end(entry(session), "the daemon has not the memory that it asks for");
                return true;
            }
        }
        return any;
    }

    private Entry entry(ClientSession session) {
        Entry entry = entries.get(session.connection().number());
        if (entry == null) {
            throw new IllegalStateException("a session without its connection");
        }
        return entry;
    }

    private void sleep() throws LinuxException {
        sessions.forEach(s -> s.sleeps(true));
        java.lang.invoke.VarHandle.fullFence();
        if (!anyReady()) {
            epoll.await(strangers > 0 ? HELLO_LOOK_MILLIS : -1, this::ready);
            dropTheSilent();
        }
        sessions.forEach(s -> s.sleeps(false));
    }

    private boolean anyReady() {
        for (ClientSession s : sessions) {
            try {
                if (s.isReady()) {
                    return true;
                }
            } catch (Violation e) {
                return true; // the next turn ends it
            }
        }
        return closing;
    }

    private void dropTheSilent() {
        if (strangers > 0) {
            long now = System.nanoTime();
            for (Entry e : List.copyOf(entries.values())) {
                if (e.session.isEmpty() && now - e.connection.since() > HELLO_NANOS) {
                    end(e, "it has not said hello");
                }
            }
        }
    }

    private void ready(long token, int events) {
        if (token == LISTENER) {
            accept();
        } else if (token == WAKE) {
            wake.clear();
            resumed();
        } else {
            Entry entry = entries.get(token / KINDS);
            if (entry == null) {
                return; // has ended within this batch
            }
            switch ((int) (token % KINDS)) {
                case SOCKET -> read(entry, events);
                case BELL -> entry.session.ifPresent(s -> s.daemonBell().clear());
                default -> end(entry, "its process has ended");
            }
        }
    }

    private void accept() {
        try {
            @Nullable UnixSocket socket = listener.accept();
            if (socket == null) {
                return;
            }
            Connection connection = new Connection(next++, socket);
            if (entries.size() >= services.quotas().clients()) {
                connection.answer(Message.error(
                        0,
                        Status.QUOTA,
                        "this daemon serves " + services.quotas().clients() + " clients already"));
                connection.close();
                return;
            }
            Entry entry = new Entry(connection);
            entries.put(connection.number(), entry);
            strangers++;
            epoll.add(socket.fd(), Epoll.IN, token(entry, SOCKET));
        } catch (LinuxException e) {
            log.warn("a client cannot be taken: {}", e.getMessage());
        }
    }

    private static long token(Entry entry, int kind) {
        return entry.connection.number() * KINDS + kind;
    }

    private void read(Entry entry, int events) {
        try {
            if ((events & Epoll.OUT) != 0 && entry.connection.writer().flush()) {
                epoll.change(entry.connection.socket().fd(), Epoll.IN, token(entry, SOCKET));
            }
            while (!entry.paused) {
                @Nullable Message message = entry.connection.reader().next();
                if (message == null) {
                    break;
                }
                try {
                    take(entry, message);
                } catch (ClientException e) {
                    message.closeDescriptors();
                    entry.connection.answer(
                            Message.error(message.request(), e.status(), String.valueOf(e.getMessage())));
                    end(entry, e.getMessage());
                }
                if (!entries.containsKey(entry.connection.number())) {
                    return;
                }
            }
            if (entry.connection.reader().ended()) {
                end(entry, "it has closed its socket");
            }
        } catch (Violation | LinuxException e) {
            end(entry, e.getMessage());
        }
    }

    private void take(Entry entry, Message message) throws Violation, LinuxException {
        if (entry.session.isEmpty()) {
            hello(entry, message);
            return;
        }
        ClientSession session = entry.session.get();
        switch (message.type()) {
            case Protocol.BELL -> message.closeDescriptors();
            case Protocol.GOODBYE -> {
                message.closeDescriptors();
                end(entry, "it has said goodbye");
            }
            default -> {
                if (session.unanswered().incrementAndGet() >= Protocol.MOST_UNANSWERED) {
                    entry.paused = true;
                    epoll.change(entry.connection.socket().fd(), 0, token(entry, SOCKET));
                }
                services.work().execute(() -> work(session, message));
            }
        }
    }

    private void work(ClientSession session, Message message) {
        try {
            session.connection().answer(requests.answer(session, message));
        } finally {
            if (session.unanswered().getAndDecrement() >= Protocol.MOST_UNANSWERED) {
                resume.add(session.connection().number());
                wake.signal();
            }
        }
    }

    private void resumed() {
        for (Long number = resume.poll(); number != null; number = resume.poll()) {
            Entry entry = entries.get(number);
            if (entry != null && entry.paused) {
                entry.paused = false;
                try {
                    epoll.change(entry.connection.socket().fd(), Epoll.IN, token(entry, SOCKET));
                } catch (LinuxException e) {
                    end(entry, e.getMessage());
                }
            }
        }
    }

    private void hello(Entry entry, Message message) throws Violation, LinuxException {
        message.closeDescriptors();
        Hello hello = Hello.read(message);
        if (hello.asksOnly()) {
            entry.connection.answer(
                    requests.status(message.request(), entry.connection.peer().uid()));
            end(entry, "it only asked");
            return;
        }
        ClientSession session = new ClientSession(entry.connection, hello, services);
        if (!services.mailboxes().open(hello.mailbox(), session)) {
            session.leave();
            services.work().execute(session::abandon);
            throw new ClientException(Status.IN_USE, "another client has that mailbox");
        }
        entry.session = Optional.of(session);
        strangers--;
        sessions.add(session);
        visible.put(entry.connection.number(), session);
        epoll.add(session.daemonBell().fd(), Epoll.IN, token(entry, BELL));
        entry.process = PidFd.of(entry.connection.peer().pid());
        if (entry.process.isPresent()) {
            epoll.add(entry.process.get().fd(), Epoll.IN, token(entry, PROCESS));
        }
        entry.connection.answer(session.welcome(message.request()));
        log.info(
                "client {} ({}) of user {} is here",
                entry.connection.number(),
                hello.name(),
                entry.connection.peer().uid());
    }

    /** Forgets a client at once; what has to wait is done by a thread of its own. */
    private void end(Entry entry, @Nullable String why) {
        if (entries.remove(entry.connection.number()) == null) {
            return;
        }
        log.info("client {} ends: {}", entry.connection.number(), why);
        try {
            epoll.remove(entry.connection.socket().fd());
            if (entry.process.isPresent()) {
                epoll.remove(entry.process.get().fd());
            }
            if (entry.session.isPresent()) {
                epoll.remove(entry.session.get().daemonBell().fd());
            }
        } catch (LinuxException e) {
            log.warn("client {}: {}", entry.connection.number(), e.getMessage());
        }
        entry.process.ifPresent(Descriptor::close);
        if (entry.session.isEmpty()) {
            strangers--;
            entry.connection.close();
            return;
        }
        ClientSession session = entry.session.get();
        sessions.remove(session);
        visible.remove(entry.connection.number());
        session.leave();
        burying.incrementAndGet();
        Thread.ofPlatform()
                .daemon(true)
                .name("daemon-bury-" + entry.connection.number())
                .start(() -> {
                    try {
                        session.bury();
                    } finally {
                        burying.decrementAndGet();
                    }
                });
    }

    /** Ends every client, and waits for the thread. */
    @Override
    public void close() {
        closing = true;
        wake.signal();
        try {
            if (!thread.join(java.time.Duration.ofSeconds(10))) {
                log.warn("the serving thread does not end");
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        epoll.close();
        wake.close();
    }
}
