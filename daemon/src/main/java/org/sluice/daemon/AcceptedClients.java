package org.sluice.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All clients that have connected: who they are, what they submit, and their end. Serving thread, where nothing else is said.
 */
final class AcceptedClients {
    private static final Logger log = LoggerFactory.getLogger(AcceptedClients.class);
    private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Map<Long, AcceptedClient> all = new HashMap<>();
    private final List<ClientSession> sessions = new ArrayList<>();
    private final Map<Long, ClientSession> visible = new ConcurrentHashMap<>();
    private final AtomicInteger burying = new AtomicInteger();
    private int strangers;

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

    int count() {
        return all.size();
    }

    /** Whether there are some that have not said hello. */
    boolean hasStrangers() {
        return strangers > 0;
    }

    /** Empty for one that has ended. */
    Optional<AcceptedClient> find(long number) {
        return Optional.ofNullable(all.get(number));
    }

    boolean has(AcceptedClient client) {
        return all.containsKey(client.number());
    }

    /** One more, a stranger. */
    void add(AcceptedClient stranger) {
        all.put(stranger.number(), stranger);
        strangers++;
    }

    /** A stranger has said hello: from now on what it submits is taken. */
    void begin(AcceptedClient client, ClientSession session) {
        client.begin(session);
        strangers--;
        sessions.add(session);
        visible.put(client.number(), session);
    }

    /** Takes what clients submit, and ends who breaks the protocol. @return whether there was anything */
    boolean turn() {
        boolean any = false;
        for (int i = 0; i < sessions.size(); i++) {
            ClientSession session = sessions.get(i);
            try {
                any |= session.turn();
            } catch (Violation e) {
                end(of(session), e.getMessage());
                return true;
            } catch (OutOfMemoryError e) {
                // what it asked for did not fit; whoever asks for that much goes, and the others stay
                end(of(session), "the daemon has not the memory that it asks for");
                return true;
            }
        }
        return any;
    }

    private AcceptedClient of(ClientSession session) {
        return find(session.connection().number())
                .orElseThrow(() -> new IllegalStateException("a session without its connection"));
    }

    /** Says whether clients have to ring for what they submit. */
    void sleeps(boolean sleeps) {
        sessions.forEach(s -> s.sleeps(sleeps));
    }

    /** Whether a client has submitted something. */
    boolean anyReady() {
        for (ClientSession s : sessions) {
            try {
                if (s.isReady()) {
                    return true;
                }
            } catch (Violation e) {
                return true; // the next turn ends it
            }
        }
        return false;
    }

    /** Ends those who have not said hello for long. */
    void endTheSilent() {
        if (strangers > 0) {
            long now = System.nanoTime();
            for (AcceptedClient c : List.copyOf(all.values())) {
                if (c.session().isEmpty() && now - c.connection().since() > HELLO_NANOS) {
                    end(c, "it has not said hello");
                }
            }
        }
    }

    void endAll(String why) {
        List.copyOf(all.values()).forEach(c -> end(c, why));
    }

    /** Forgets a client at once; what has to wait is done by a thread of its own. Idempotent. */
    void end(AcceptedClient client, @Nullable String why) {
        if (all.remove(client.number()) == null) {
            return;
        }
        log.info("client {} ends: {}", client.number(), why);
        client.unwatch();
        if (client.session().isEmpty()) {
            strangers--;
            client.connection().close();
            return;
        }
        ClientSession session = client.session().get();
        sessions.remove(session);
        visible.remove(client.number());
        session.leave();
        bury(session, client.number());
    }

    private void bury(ClientSession session, long number) {
        burying.incrementAndGet();
        Thread.ofPlatform().daemon(true).name("daemon-bury-" + number).start(() -> {
            try {
                session.bury();
            } finally {
                burying.decrementAndGet();
            }
        });
    }
}
