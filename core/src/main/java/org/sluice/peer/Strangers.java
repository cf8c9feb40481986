package org.sluice.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.sluice.wire.Deadline;

/**
 * Connections that have not made an offer yet. There is a limit for each source and one for all; beyond it the oldest of the
 * source, or of all, gives way, and of those first one that has said nothing: whoever means it says its words at once, and one who floods
 * drives out only itself. Any thread.
 */
public final class Strangers implements AutoCloseable {
    /** A node with 64 GPUs and two tries each fits. */
    static final int MOST_PER_SOURCE = 128;

    /** Below the 1024 descriptors that a process may have open by default. */
    static final int MOST = 512;

    /** A connection that is closed while it waits for a place tells nobody here. */
    private static final long LOOK_MILLIS = 250;

    private final Map<SocketChannel, Stranger> all = new LinkedHashMap<>();
    private final Map<InetAddress, Deque<SocketChannel>> bySource = new HashMap<>();
    private final List<Waiting> waiting = new ArrayList<>();

    /** @param introduced whether it has said who it is */
    private record Stranger(InetAddress source, boolean introduced) {}

    /** Somebody who waits for a place, the first of them first. */
    private record Waiting(SocketChannel stranger, InetAddress source, CountDownLatch placed) {}

    public synchronized void add(SocketChannel stranger, InetAddress source) {
        Deque<SocketChannel> neighbours = bySource.get(source);
        if (neighbours != null && neighbours.size() == MOST_PER_SOURCE) {
            evict(first(neighbours));
        }
        if (all.size() == MOST) {
            evict(first(all.keySet()));
        }
        put(stranger, source);
    }

    private void put(SocketChannel stranger, InetAddress source) {
        all.put(stranger, new Stranger(source, false));
        bySource.computeIfAbsent(source, s -> new ArrayDeque<>()).addLast(stranger);
    }

    /** The oldest that has said nothing, or the oldest. */
    private SocketChannel first(Collection<SocketChannel> of) {
        for (SocketChannel s : of) {
            Stranger known = all.get(s);
            if (known != null && !known.introduced()) {
                return s;
            }
        }
        Iterator<SocketChannel> oldest = of.iterator();
        return oldest.next();
    }

    /** It has said who it is. */
    synchronized void introduced(SocketChannel stranger) {
        all.computeIfPresent(stranger, (s, known) -> new Stranger(known.source(), true));
    }

    /**
     * As {@link #add}, but nobody gives way: waits for a place, behind those who wait already.
     *
     * @return false when there was none in time, or the connection was closed meanwhile
     */
    boolean await(SocketChannel stranger, InetAddress source, Deadline deadline) {
        Waiting place = new Waiting(stranger, source, new CountDownLatch(1));
        synchronized (this) {
            waiting.add(place);
            placeThoseWhoWait();
        }
        try {
            while (!place.placed.await(Math.clamp(deadline.remainingMillis(), 1, LOOK_MILLIS), TimeUnit.MILLISECONDS)) {
                if (!stranger.isOpen() || deadline.passed()) {
                    return leave(place);
                }
            }
            return stranger.isOpen();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return leave(place);
        }
    }

    /** @return false: it has no place */
    private synchronized boolean leave(Waiting place) {
        waiting.remove(place);
        if (place.placed.getCount() == 0) {
            remove(place.stranger); // it got one in this moment
        }
        return false;
    }

    private void placeThoseWhoWait() {
        for (Iterator<Waiting> w = waiting.iterator(); w.hasNext() && all.size() < MOST; ) {
            Waiting next = w.next();
            if (of(next.source) < MOST_PER_SOURCE) {
                w.remove();
                put(next.stranger, next.source);
                next.placed.countDown();
            }
        }
    }

    private int of(InetAddress source) {
        Deque<SocketChannel> neighbours = bySource.get(source);
        return neighbours == null ? 0 : neighbours.size();
    }

    /** It is one no more: known by now, or gone. */
    public synchronized void remove(SocketChannel stranger) {
        Stranger known = all.remove(stranger);
        Deque<SocketChannel> neighbours = known == null ? null : bySource.get(known.source());
        if (known != null && neighbours != null) {
            neighbours.remove(stranger);
            if (neighbours.isEmpty()) {
                bySource.remove(known.source());
            }
            placeThoseWhoWait();
        }
    }

    synchronized int size() {
        return all.size();
    }

    /** How many wait for a place. */
    synchronized int waiting() {
        return waiting.size();
    }

    private void evict(SocketChannel stranger) {
        remove(stranger);
        close(stranger);
    }

    private static void close(SocketChannel stranger) {
        try {
            stranger.close();
        } catch (IOException e) {
            // it is being dropped anyway
        }
    }

    @Override
    public synchronized void close() {
        all.keySet().forEach(Strangers::close);
        all.clear();
        bySource.clear();
    }
}
