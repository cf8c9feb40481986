package org.sluice.daemon;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Which client gets the notifications for which mailbox. Any thread. */
final class Mailboxes {
    private final Map<Key, ClientSession> byKey = new ConcurrentHashMap<>();

    /** @return false when another client has it */
    boolean open(Key key, ClientSession client) {
        return key.isZero() || byKey.putIfAbsent(key, client) == null;
    }

    void close(Key key, ClientSession client) {
        byKey.remove(key, client);
    }

    /** Brings a notification to its client, if it is here. */
    void deliver(Notification note) {
        @Nullable ClientSession client = byKey.get(note.to());
        if (client != null) {
            client.notified(note);
        }
    }
}
