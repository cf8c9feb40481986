package org.sluice.daemon;

import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Descriptor;
import org.sluice.linux.Epoll;
import org.sluice.linux.LinuxException;
import org.sluice.linux.PidFd;

/**
 * A client that has connected, and what the serving thread watches of it: a stranger until it has said hello, with a session from then
 * on. Serving thread only.
 */
final class AcceptedClient {
    private static final Logger log = LoggerFactory.getLogger(AcceptedClient.class);

    // what is watched of a client: a token of epoll is the client's number and one of these
    static final int SOCKET = 0;
    static final int BELL = 1;
    static final int PROCESS = 2;
    private static final int KINDS = 4;

    private final Connection connection;
    private final Epoll epoll;
    private Optional<ClientSession> session = Optional.empty();
    private Optional<Descriptor> process = Optional.empty();
    /** What is asked of epoll about its socket. */
    private int awaited = Epoll.IN;

    AcceptedClient(Connection connection, Epoll epoll) {
        this.connection = connection;
        this.epoll = epoll;
    }

    /** The number of the client that a token of epoll is about; tokens of clients are not negative. */
    static long number(long token) {
        return token / KINDS;
    }

    /** What a token of epoll is about: {@link #SOCKET}, {@link #BELL} or {@link #PROCESS}. */
    static int watched(long token) {
        return (int) (token % KINDS);
    }

    private long token(int watched) {
        return number() * KINDS + watched;
    }

    long number() {
        return connection.number();
    }

    Connection connection() {
        return connection;
    }

    /** Empty for a stranger. */
    Optional<ClientSession> session() {
        return session;
    }

    /** It has said hello. */
    void begin(ClientSession its) {
        session = Optional.of(its);
    }

    void watchSocket() throws LinuxException {
        epoll.add(connection.socket().fd(), awaited, token(SOCKET));
    }

    /** Watches for the bell of its session, and for its process's end where that can be seen from here. */
    void watchSession(ClientSession its) throws LinuxException {
        epoll.add(its.daemonBell().fd(), Epoll.IN, token(BELL));
        process = PidFd.of(connection.peer().pid());
        if (process.isPresent()) {
            epoll.add(process.get().fd(), Epoll.IN, token(PROCESS));
        }
    }

    /** Whether more may be read of it: not while too much of what it has asked is unanswered, or answered and not read. */
    boolean mayAsk() {
        return session.stream().allMatch(s -> s.unanswered().get() < Protocol.MOST_UNANSWERED)
                && !connection.writer().isFull();
    }

    /** Watches its socket for what can be done now: to read where it may ask, to send where an answer waits for room. */
    void watchAgain() throws LinuxException {
        int wanted = (mayAsk() ? Epoll.IN : 0) | (connection.writer().isFull() ? Epoll.OUT : 0);
        if (wanted != awaited) {
            epoll.change(connection.socket().fd(), wanted, token(SOCKET));
            awaited = wanted;
        }
    }

    /** Its end has begun: nothing of it is watched any more. Its socket and its bell stay open. */
    void unwatch() {
        try {
            epoll.remove(connection.socket().fd());
            if (process.isPresent()) {
                epoll.remove(process.get().fd());
            }
            if (session.isPresent()) {
                epoll.remove(session.get().daemonBell().fd());
            }
        } catch (LinuxException e) {
            log.warn("client {}: {}", number(), e.getMessage());
        }
        process.ifPresent(Descriptor::close);
    }
}
