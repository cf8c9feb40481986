package org.sluice.tcp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/**
 * The threads of a node that move bytes in one direction: a fixed number at the most, however many peers and links there
 * are. Each works for one NIC, near it; where there are more NICs than threads, they share all of them. They start when they are needed,
 * and one is kept for each NIC that has none yet. Any thread.
 */
final class IoThreads implements AutoCloseable {
    private final boolean sends;
    private final int most;
    private final TcpOptions options;
    private final List<List<IoThread>> ofNic = new ArrayList<>();
    private boolean closed;

    /** @param nics how many NICs the node has; {@code most} threads in all, at least 1 */
    IoThreads(boolean sends, int nics, int most, TcpOptions options) {
        this.sends = sends;
        this.most = most;
        this.options = options;
        for (int n = 0; n < nics; n++) {
            ofNic.add(new ArrayList<>());
        }
    }

    /**
     * The thread for one more connection of a NIC: one that has none, else the one that has the fewest.
     *
     * @throws org.sluice.spi.ThreadLimitException where the machine gives none
     */
    synchronized IoThread of(Nic nic) throws TransportException {
        if (closed) {
            throw new TransportException("the transport is closed");
        }
        List<IoThread> own = ofNic.get(nic.device());
        List<IoThread> candidates = ofNic.size() > most ? all() : own;
        IoThread least =
                candidates.stream().min(Comparator.comparingInt(IoThread::load)).orElse(null);
        if (least != null && (least.load() == 0 || !mayStart(own))) {
            return least;
        }
        IoThread fresh = start(nic, own.size());
        own.add(fresh);
        return fresh;
    }

    /** Whether one more leaves a thread for each other NIC that has none; where NICs share them, whether there is one more. */
    private boolean mayStart(List<IoThread> own) {
        long waiting = ofNic.stream().filter(List::isEmpty).count() - (own.isEmpty() ? 1 : 0);
        return all().size() + (ofNic.size() > most ? 0 : waiting) < most;
    }

    private List<IoThread> all() {
        return ofNic.stream().flatMap(List::stream).toList();
    }

    private IoThread start(Nic nic, int number) throws TransportException {
        String name = nic.name() + (sends ? "-tx-" : "-rx-") + number;
        return IoThread.start(name, () -> {
            if (sends) {
                options.placement().transmitsOn(nic.name(), nic.numaNode());
            } else {
                options.placement().receivesOn(nic.name(), nic.numaNode());
            }
        });
    }

    /** Ends every connection that is left, and the threads. Idempotent. */
    @Override
    public void close() {
        List<IoThread> all;
        synchronized (this) {
            closed = true;
            all = all();
        }
        all.forEach(IoThread::close);
    }
}
