package org.sluice.daemon;

import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Epoll;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;

/**
 * The thread that serves all clients: it takes what they submit, reads their sockets, and sleeps when there is nothing. It never waits
 * for a client, a link or a transfer.
 */
final class ServingThread implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ServingThread.class);

    private static final long LISTENER = -1;
    private static final long WAKE = -2;
    /** How long it looks for more before it sleeps: who has just posted is likely to post again. */
    private static final long SPIN_NANOS = 100_000;
    /** Where CPUs are few, it lets others go first in between. */
    private static final boolean FEW_CPUS = Runtime.getRuntime().availableProcessors() <= 4;
    /** How often it looks at sockets while rings keep it busy. */
    private static final long LOOK_NANOS = 100_000;

    private static final int HELLO_LOOK_MILLIS = 500;

    private final UnixSocket listener;
    private final Services services;
    private final Requests requests;
    private final Epoll epoll;
    private final EventFd wake;
    private final AcceptedClients clients = new AcceptedClients();
    /** Numbers of clients of whose sockets something else is wanted now. */
    private final ConcurrentLinkedQueue<Long> changed = new ConcurrentLinkedQueue<>();

    private final Thread thread;
    private long next = 1;
    private volatile boolean closing;

    ServingThread(UnixSocket listener, Services services) throws LinuxException {
        this.listener = listener;
        this.services = services;
        this.requests = new Requests(services, clients::visibleTo);
        this.epoll = Epoll.open();
        this.wake = EventFd.open();
        epoll.add(listener.fd(), Epoll.IN, LISTENER);
        epoll.add(wake.fd(), Epoll.IN, WAKE);
        this.thread = Thread.ofPlatform().name("daemon-serve").daemon(true).unstarted(this::run);
        thread.start();
    }

    /** Clients that this user may see: its own, and all of them for root. Any thread. */
    List<ClientStatus> visibleTo(int uid) {
        return clients.visibleTo(uid);
    }

    /** Whether everything of the clients that have gone is free. Any thread. */
    boolean isBuried() {
        return clients.isBuried();
    }

    private void run() {
        try {
            long idleSince = System.nanoTime();
            long lookedAt = idleSince;
            while (!closing) {
                boolean any = clients.turn();
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
            clients.endAll("the daemon is going");
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

    private void sleep() throws LinuxException {
        clients.sleeps(true);
        java.lang.invoke.VarHandle.fullFence();
        if (!clients.anyReady() && !closing) {
            epoll.await(clients.hasStrangers() ? HELLO_LOOK_MILLIS : -1, this::ready);
            clients.endTheSilent();
        }
        clients.sleeps(false);
    }

    private void ready(long token, int events) {
        if (token == LISTENER) {
            accept();
        } else if (token == WAKE) {
            wake.clear();
            watchChanged();
        } else {
            // none where it has ended within this batch
            clients.find(AcceptedClient.number(token)).ifPresent(c -> ready(c, token, events));
        }
    }

    private void ready(AcceptedClient client, long token, int events) {
        switch (AcceptedClient.watched(token)) {
            case AcceptedClient.SOCKET -> read(client, events);
            case AcceptedClient.BELL ->
                client.session().ifPresent(s -> s.daemonBell().clear());
            default -> clients.end(client, "its process has ended");
        }
    }

    private void accept() {
        try {
            @Nullable UnixSocket socket = listener.accept();
            if (socket == null) {
                return;
            }
            long number = next++;
            Connection connection = Connection.over(socket, number, () -> change(number));
            if (clients.count() >= services.quotas().clients()) {
                connection.answer(Message.error(
                        0,
                        Status.QUOTA,
                        "this daemon serves " + services.quotas().clients() + " clients already"));
                connection.close();
                return;
            }
            AcceptedClient client = new AcceptedClient(connection, epoll);
            try {
                client.watchSocket();
            } catch (LinuxException e) {
                connection.close();
                throw e;
            }
            clients.add(client);
        } catch (LinuxException e) {
            log.warn("a client cannot be taken: {}", e.getMessage());
        }
    }

    private void read(AcceptedClient client, int events) {
        try {
            if ((events & Epoll.OUT) != 0) {
                client.connection().writer().flush();
            }
            if ((events & Epoll.HANG_UP) != 0 && !client.mayAsk()) {
                clients.end(client, "it has closed its socket"); // epoll would tell it for ever
                return;
            }
            while (client.mayAsk()) {
                @Nullable Message message = client.connection().reader().next();
                if (message == null) {
                    break;
                }
                try {
                    take(client, message);
                } catch (ClientException e) {
                    message.closeDescriptors();
                    client.connection()
                            .answer(Message.error(message.request(), e.status(), String.valueOf(e.getMessage())));
                    clients.end(client, e.getMessage());
                }
                if (!clients.has(client)) {
                    return;
                }
            }
            if (client.connection().reader().ended()) {
                clients.end(client, "it has closed its socket");
                return;
            }
            client.watchAgain();
        } catch (Violation | LinuxException e) {
            clients.end(client, e.getMessage());
        }
    }

    private void take(AcceptedClient client, Message message) throws Violation, LinuxException {
        if (client.session().isEmpty()) {
            hello(client, message);
            return;
        }
        ClientSession session = client.session().get();
        switch (message.type()) {
            case Protocol.BELL -> message.closeDescriptors();
            case Protocol.GOODBYE -> {
                message.closeDescriptors();
                clients.end(client, "it has said goodbye");
            }
            default -> {
                session.unanswered().incrementAndGet();
                services.work().execute(() -> work(session, message));
            }
        }
    }

    private void work(ClientSession session, Message message) {
        try {
            session.connection().answer(requests.answer(session, message));
        } finally {
            if (session.unanswered().getAndDecrement() >= Protocol.MOST_UNANSWERED) {
                change(session.connection().number());
            }
        }
    }

    /** Something else is wanted of a client's socket now. Any thread. */
    private void change(long number) {
        changed.add(number);
        wake.signal();
    }

    private void watchChanged() {
        for (Long number = changed.poll(); number != null; number = changed.poll()) {
            clients.find(number).ifPresent(this::watchAgain);
        }
    }

    private void watchAgain(AcceptedClient client) {
        try {
            client.watchAgain();
        } catch (LinuxException e) {
            clients.end(client, e.getMessage());
        }
    }

    private void hello(AcceptedClient client, Message message) throws Violation, LinuxException {
        message.closeDescriptors();
        Hello hello = Hello.read(message);
        if (hello.asksOnly()) {
            client.connection()
                    .answer(requests.status(
                            message.request(), client.connection().peer().uid()));
            clients.end(client, "it only asked");
            return;
        }
        ClientSession session = ClientSession.open(client.connection(), hello, services);
        if (!services.mailboxes().open(hello.mailbox(), session)) {
            session.leave();
            services.work().execute(session::abandon);
            throw new ClientException(Status.IN_USE, "another client has that mailbox");
        }
        clients.begin(client, session);
        client.watchSession(session);
        client.connection().answer(session.welcome(message.request()));
        log.info(
                "client {} ({}) of user {} is here",
                client.number(),
                hello.name(),
                client.connection().peer().uid());
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
