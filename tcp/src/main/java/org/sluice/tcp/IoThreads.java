package org.sluice.tcp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/**
 * The threads of a node that move bytes in one direction: as many as there are CPUs at the most, however many peers and links there
 * are. Each works for one NIC, near it; where there are more NICs than CPUs, neighbours share one. They start when they are needed. Any
 * thread.
 */
final class IoThreads implements AutoCloseable {
    private final boolean sends;
    private final int nics;
    private final int most;
    private final TcpOptions options;
    private final List<List<IoThread>> ofGroup = new ArrayList<>();
    private boolean closed;

    /** @param nics how many NICs the node has; {@code most} threads in all, at least 1 */
    IoThreads(boolean sends, int nics, int most, TcpOptions options) {
        this.sends = sends;
        this.nics = Math.max(1, nics);
        this.most = most;
        this.options = options;
        for (int g = 0; g < Math.min(this.nics, most); g++) {
            ofGroup.add(new ArrayList<>());
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
        int groups = ofGroup.size();
        int group = (int) ((long) nic.device() * groups / nics);
        List<IoThread> threads = ofGroup.get(group);
        int share = most / groups + (group < most % groups ? 1 : 0);
        IoThread least = threads.stream()
                .min(Comparator.comparingInt(IoThread::load))
                .orElse(null);
        if (least != null && (least.load() == 0 || threads.size() >= share)) {
            return least;
        }
        IoThread fresh = start(nic, threads.size());
        threads.add(fresh);
        return fresh;
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
            all = ofGroup.stream().flatMap(List::stream).toList();
        }
        all.forEach(IoThread::close);
    }
}
