package org.sluice.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sluice.wire.Deadline;

/**
 * Connections that have not made an offer yet. There is a limit for each source and one for all; beyond it the oldest of the
 * source, or of all, gives way: whoever means it says its words at once, and one who floods drives out only itself. Any thread.
 */
public final class Strangers implements AutoCloseable {
    /** A node with 64 GPUs and two tries each fits. */
    static final int MOST_PER_SOURCE = 128;

    /** Below the 1024 descriptors that a process may have open by default. */
    static final int MOST = 512;

    private static final long LOOK_MILLIS = 250;

    private final Map<SocketChannel, InetAddress> all = new LinkedHashMap<>();
    private final Map<InetAddress, Deque<SocketChannel>> bySource = new HashMap<>();

    public synchronized void add(SocketChannel stranger, InetAddress source) {
        Deque<SocketChannel> neighbours = bySource.computeIfAbsent(source, s -> new ArrayDeque<>());
        if (neighbours.size() == MOST_PER_SOURCE) {
            evict(neighbours.peekFirst());
        }
        if (all.size() == MOST) {
            Iterator<SocketChannel> oldest = all.keySet().iterator();
            evict(oldest.next());
        }
        all.put(stranger, source);
        bySource.computeIfAbsent(source, s -> new ArrayDeque<>()).addLast(stranger);
    }

    /**
     * As {@link #add}, but nobody gives way: waits for a place.
     *
     * @return false when there was none in time, or the connection was closed meanwhile
     */
    synchronized boolean await(SocketChannel stranger, InetAddress source, Deadline deadline) {
        while (all.size() >= MOST || of(source) >= MOST_PER_SOURCE) {
            if (!stranger.isOpen() || deadline.passed()) {
                return false;
            }
            try {
                // a connection that is closed meanwhile tells nobody here
                wait(Math.clamp(deadline.remainingMillis(), 1, LOOK_MILLIS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        add(stranger, source);
        return stranger.isOpen();
    }

    private int of(InetAddress source) {
        Deque<SocketChannel> neighbours = bySource.get(source);
        return neighbours == null ? 0 : neighbours.size();
    }

    /** It is one no more: known by now, or gone. */
    public synchronized void remove(SocketChannel stranger) {
        notifyAll();
        InetAddress source = all.remove(stranger);
        Deque<SocketChannel> neighbours = source == null ? null : bySource.get(source);
        if (neighbours != null) {
            neighbours.remove(stranger);
            if (neighbours.isEmpty()) {
                bySource.remove(source);
            }
        }
    }

    synchronized int size() {
        return all.size();
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
