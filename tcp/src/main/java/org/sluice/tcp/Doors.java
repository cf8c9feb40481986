package org.sluice.tcp;

import java.io.IOException;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.LinuxException;
import org.sluice.linux.PollSet;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/**
 * Where connections of peers come in: one port, on which each NIC has a listening socket of its own that is bound to its device, so
 * that what comes in by it is known and answers leave by it; and one port for peers on this host, whose packets go by no NIC. Who
 * comes shows a token, and is handed to whoever {@linkplain Guests expects} it.
 *
 * <p>One thread looks after all that is not handed over yet. Any thread may call what is here.
 */
final class Doors implements AutoCloseable {
    /** The end of a visit that stays. */
    static final long NEVER = Long.MAX_VALUE;

    private static final Logger log = LoggerFactory.getLogger(Doors.class);

    /** Connections that have not greeted yet. The oldest gives way: the right one greets as soon as it is connected. */
    private static final int MOST_STRANGERS = 256;

    private static final int MOST_VISITS = 2048;

    /** While the process has no descriptor left, asking the kernel again at once would only burn a CPU. */
    private static final long TROUBLE_PAUSE_MILLIS = 20;

    private static final int STACK_BYTES = 256 << 10;

    private final Guests guests = new Guests();
    private final Queue<Visit> fresh = new ConcurrentLinkedQueue<>();
    private final List<Visit> visits = new ArrayList<>();
    private final PollSet poll;
    private final int port;
    private final int herePort;
    private final Thread thread;
    private volatile boolean closed;

    /** @param bind whether to bind to devices where the process may */
    Doors(List<Nic> nics, DataPorts ports, boolean bind) throws TransportException {
        try {
            this.poll = new PollSet(MOST_VISITS);
        } catch (LinuxException e) {
            throw new TransportException("data ports: " + e.getMessage(), e);
        }
        try {
            List<Door> outside = bind ? ports.first(p -> outside(nics, p)) : List.of();
            visits.addAll(outside);
            Door here = ports.first(p -> here(p, outside.isEmpty()));
            visits.add(here);
            this.herePort = here.socket().localAddress().getPort();
            this.port = outside.isEmpty()
                    ? herePort
                    : outside.getFirst().socket().localAddress().getPort();
        } catch (IOException e) {
            visits.forEach(v -> v.end("not opened"));
            poll.close();
            throw e instanceof TransportException t ? t : new TransportException("data ports: " + e.getMessage(), e);
        }
        this.thread = Thread.ofPlatform()
                .name("tcp-doors")
                .daemon(true)
                .stackSize(STACK_BYTES)
                .start(this::run);
    }

    /** A door for each device that leads off this host, all on one port; none where the process may not bind to devices. */
    private List<Door> outside(List<Nic> nics, int wanted) throws LinuxException {
        List<Door> doors = new ArrayList<>();
        int chosen = wanted;
        try {
            for (int n = 0; n < nics.size(); n++) {
                String device = nics.get(n).kernelDevice();
                if (device == null || isLoopback(device)) {
                    continue;
                }
                TcpSocket s = Door.listen(chosen, device);
                if (s == null) {
                    doors.forEach(d -> d.end("no right"));
                    return List.of();
                }
                int nic = n;
                doors.add(new Door(s, n, comer -> meet(comer, nic)));
                chosen = s.localAddress().getPort();
            }
            return doors;
        } catch (LinuxException e) {
            doors.forEach(d -> d.end("not all could be opened"));
            throw e;
        }
    }

    private Door here(int wanted, boolean everybody) throws LinuxException {
        TcpSocket s = Door.listen(wanted, null);
        if (s == null) {
            throw new IllegalStateException("a socket without a device needs no right");
        }
        return new Door(s, everybody ? Door.ANYWHERE : Door.HERE, comer -> {
            if (everybody || isThisHost(comer)) {
                meet(comer, Door.ANYWHERE);
            } else {
                comer.close();
            }
        });
    }

    private static boolean isLoopback(String device) {
        try {
            NetworkInterface i = NetworkInterface.getByName(device);
            return i != null && i.isLoopback();
        } catch (SocketException e) {
            return false;
        }
    }

    private static boolean isThisHost(TcpSocket comer) {
        return Endpoint.isThisHost(comer.peerAddress().getAddress());
    }

    /** Where peers on other hosts connect to, the same on every NIC. */
    int port() {
        return port;
    }

    /** Where peers on this host connect to. */
    int herePort() {
        return herePort;
    }

    Guests guests() {
        return guests;
    }

    /** Looks after one more visit, from any thread. */
    void add(Visit visit) {
        fresh.add(visit);
        poll.wake();
        if (closed) {
            endFresh();
        }
    }

    private void meet(TcpSocket comer, int nic) {
        long strangers = visits.stream().filter(Stranger.class::isInstance).count()
                + fresh.stream().filter(Stranger.class::isInstance).count();
        if (strangers >= MOST_STRANGERS) {
            visits.stream().filter(Stranger.class::isInstance).findFirst().ifPresent(oldest -> {
                oldest.end("gave way");
                visits.remove(oldest);
            });
        }
        fresh.add(new Stranger(comer, nic, guests, fresh::add));
    }

    private void run() {
        try {
            while (!closed) {
                for (Visit v = fresh.poll(); v != null; v = fresh.poll()) {
                    visits.add(v);
                }
                watch();
            }
        } catch (LinuxException e) {
            log.error("data ports failed: {}", e.getMessage());
        } finally {
            visits.forEach(v -> v.end("closed"));
            endFresh();
            poll.close();
        }
    }

    private void endFresh() {
        for (Visit v = fresh.poll(); v != null; v = fresh.poll()) {
            v.end("closed");
        }
    }

    /** One wait, and a turn of each visit that is ready. */
    private void watch() throws LinuxException {
        List<Visit> now = List.copyOf(visits);
        poll.clear();
        long end = NEVER;
        int[] place = new int[now.size()];
        for (int i = 0; i < now.size(); i++) {
            place[i] = poll.add(now.get(i).socket(), now.get(i).events());
            end = Math.min(end, now.get(i).endsAt());
        }
        poll.await(millisUntil(end));
        long time = System.nanoTime();
        for (int i = 0; i < now.size(); i++) {
            Visit v = now.get(i);
            if (place[i] >= 0 && poll.ready(place[i]) && visits.contains(v)) {
                if (isOver(v)) {
                    visits.remove(v);
                }
            } else if (v.endsAt() != NEVER && time - v.endsAt() >= 0 && visits.remove(v)) {
                v.end("the time is over");
            }
        }
    }

    private static int millisUntil(long end) {
        if (end == NEVER) {
            return -1;
        }
        return Math.clamp((end - System.nanoTime()) / 1_000_000 + 1, 0, Integer.MAX_VALUE);
    }

    private boolean isOver(Visit v) {
        try {
            return v.turn();
        } catch (IOException e) {
            if (v instanceof Door) {
                log.warn("a data port has trouble: {}", e.getMessage());
                pause();
                return false;
            }
            v.end(String.valueOf(e.getMessage()));
            return true;
        } catch (RuntimeException e) {
            log.error("a connection on a data port was dropped", e);
            v.end(String.valueOf(e.getMessage()));
            return true;
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(TROUBLE_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes the doors and ends every visit. Idempotent. */
    @Override
    public void close() {
        closed = true;
        poll.wake();
        if (Thread.currentThread() != thread) {
            try {
                thread.join(1000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
