package org.sluice.daemon;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Which client holds which key, and which are dead for ever. Any thread. */
final class KeyRing {
    /** Dead keys that are remembered, 32 MiB or so; beyond that the oldest are forgotten. */
    private static final int MOST_DEAD = 1 << 18;

    private final Map<Key, ClientSession> held = new HashMap<>();
    private final LinkedHashSet<Key> dead = new LinkedHashSet<>();

    /**
     * Takes a key. One that a client holds which is going is waited for.
     *
     * @throws ClientException when another client holds it, or it is dead
     */
    synchronized void take(Key key, ClientSession by, long atMostNanos) {
        long end = System.nanoTime() + atMostNanos;
        try {
            while (true) {
                if (dead.contains(key)) {
                    throw new ClientException(Status.DEAD_KEY, "this key was withdrawn for ever; draw another");
                }
                ClientSession holder = held.get(key);
                if (holder == null) {
                    held.put(key, by);
                    return;
                }
                long left = end - System.nanoTime();
                if (!holder.isGoing() || left <= 0) {
                    throw new ClientException(
                            Status.IN_USE,
                            holder == by
                                    ? "this client holds that key for other memory; deregister that first"
                                    : "another client holds that key");
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClientException(Status.GOING, "the daemon is going", e);
        }
    }

    /** @param forEver whether nobody may present it again */
    synchronized void giveBack(Key key, boolean forEver) {
        held.remove(key);
        if (forEver) {
            dead.add(key);
            if (dead.size() > MOST_DEAD) {
                dead.removeFirst();
            }
        }
        notifyAll();
    }
}
