package org.sluice.peer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.Where;

/**
 * The seed's bootstrap ports, one per GPU. Clients that have made an offer wait in a queue for the node to accept them.
 */
final class BootstrapPorts implements Desk, AutoCloseable {
    private static final int QUEUED = 16;

    private final boolean bare;
    private final Reception reception;
    private final List<BlockingQueue<LinkRequest>> requests = new ArrayList<>();
    private final List<BlockingQueue<SocketChannel>> bareClients = new ArrayList<>();
    private final @Nullable String[] taken;

    /** The last client of each GPU that left before it made its offer, and has not been asked after yet. */
    private final AtomicReferenceArray<@Nullable Departure> departures;

    /** @param bare whether whoever connects is taken as it is, without a word (UCCL's format) */
    BootstrapPorts(int base, int gpus, Reception.Settings settings, boolean bare) {
        this.bare = bare;
        this.taken = new String[gpus];
        this.departures = new AtomicReferenceArray<>(gpus);
        for (int g = 0; g < gpus; g++) {
            requests.add(new ArrayBlockingQueue<>(QUEUED));
            bareClients.add(new ArrayBlockingQueue<>(1));
        }
        this.reception = new Reception("bootstrap", settings, this);
        for (int g = 0; g < gpus; g++) {
            try {
                InetSocketAddress ignored =
                        reception.open(new InetSocketAddress(base + g), new Reception.Door.OfGpu(g));
            } catch (IOException e) {
                reception.close();
                throw new ConfigException(
                        ErrorCode.RESOURCES,
                        Where.ofGpu(g),
                        "bootstrap port " + (base + g) + " cannot be opened (" + e.getMessage()
                                + "); another server runs here, or choose other ports with --port",
                        e);
            }
        }
    }

    /** A client that left. @param peer its address @param why as far as it is known */
    record Departure(String peer, String why) {}

    @Override
    public void left(int gpu, String peer, String why) {
        departures.set(gpu, new Departure(peer, why));
    }

    /** Who left since the last call, before it made its offer; null for nobody. */
    @Nullable Departure departed(int gpu) {
        return departures.getAndSet(gpu, null);
    }

    @Override
    public boolean isBare() {
        return bare;
    }

    @Override
    public boolean takeBare(int gpu, SocketChannel client) {
        return bareClients.get(gpu).offer(client);
    }

    /** Synchronized with {@link #take(int, String)}, so that nobody is left in a queue unheard. */
    @Override
    public synchronized @Nullable String take(LinkRequest request) {
        String holder = taken[request.gpu()];
        if (holder != null) {
            return takenBy(request.gpu(), holder);
        }
        return requests.get(request.gpu()).offer(request)
                ? null
                : "GPU " + request.gpu() + " of this server has " + QUEUED + " clients waiting already";
    }

    private static String takenBy(int gpu, String holder) {
        return "GPU " + gpu + " of this server is taken by " + holder;
    }

    /** From now on clients of this GPU are refused, since {@code holder} has it. */
    synchronized void take(int gpu, String holder) {
        taken[gpu] = holder;
        for (LinkRequest r = requests.get(gpu).poll();
                r != null;
                r = requests.get(gpu).poll()) {
            r.socket().refuse(takenBy(gpu, holder));
            Reception.quietly(r.socket());
        }
    }

    /** Its link is over: the GPU may be had again. */
    synchronized void release(int gpu) {
        taken[gpu] = null;
    }

    /** The next client of a GPU. @return null when none came in time @throws ClosedException when none can come any more */
    @Nullable LinkRequest await(int gpu, Duration atMost) throws InterruptedException {
        reception.expectOpen(gpu);
        return requests.get(gpu).poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Clients that have made an offer and have not been taken up. */
    int waiting(int gpu) {
        return requests.get(gpu).size();
    }

    @Nullable SocketChannel awaitBare(int gpu, Duration atMost) throws InterruptedException {
        reception.expectOpen(gpu);
        return bareClients.get(gpu).poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        reception.close();
        for (BlockingQueue<LinkRequest> q : requests) {
            q.forEach(r -> Reception.quietly(r.socket()));
        }
        for (BlockingQueue<SocketChannel> q : bareClients) {
            q.forEach(Reception::quietly);
        }
    }
}
