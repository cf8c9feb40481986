package org.sluice;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.control.LinkReport;
import org.sluice.control.LinkSession;
import org.sluice.data.Agent;
import org.sluice.data.Completion;
import org.sluice.stats.ChannelTiming;
import org.sluice.stats.TransferCounters;
import org.sluice.stats.TransferEvent;

/**
 * All channels between a local and a remote GPU. The n-th {@link #send} of one side meets the n-th {@link #receive} of the
 * other; many may be under way. With a peer's {@link RemoteRegion} key, {@link #write} and {@link #read} need nobody there.
 *
 * <p>Any thread may use it; calls of one thread keep their order. Nothing here waits but what says so.
 */
public final class Link implements AutoCloseable {
    private final Agent agent;
    private final LinkReport report;
    private final BlockingQueue<byte[]> notes = new LinkedBlockingQueue<>();
    private final Map<String, CompletableFuture<RemoteRegion>> shared = new ConcurrentHashMap<>();
    private final CompletableFuture<SluiceException> ended = new CompletableFuture<>();
    private final TransferCounters transfers = new TransferCounters();
    private volatile boolean goodbye;
    private volatile @Nullable LinkSession session;

    Link(Agent agent, LinkReport report) {
        this.agent = agent;
        this.report = report;
    }

    /** What the session reports; package-private: {@link Node} hands it to the control plane. */
    static final class Events implements LinkSession.Events {
        private final CompletableFuture<Link> link = new CompletableFuture<>();

        void bind(Link to) {
            link.complete(to);
        }

        @Override
        public void note(byte[] note) {
            link.thenAccept(l -> l.notes.add(note));
        }

        @Override
        public void region(String name, long keyHigh, long keyLow, long size) {
            link.thenAccept(l -> l.named(name).complete(new RemoteRegion(keyHigh, keyLow, size)));
        }

        @Override
        public void ended(SluiceException why, boolean goodbye) {
            link.thenAccept(l -> {
                l.goodbye = goodbye;
                l.shared.values().forEach(f -> f.completeExceptionally(why));
                l.ended.complete(why);
            });
        }
    }

    void bind(LinkSession to) {
        session = to;
    }

    private LinkSession session() {
        LinkSession s = session;
        if (s == null) {
            throw new IllegalStateException("not bound");
        }
        return s;
    }

    /** The local GPU. */
    public int gpu() {
        return report.gpu();
    }

    /** The peer's address and GPU, as messages name it. */
    public String peer() {
        return session().peer();
    }

    /** What the client's program sent with its offer; empty on the client. */
    public byte[] offeredNote() {
        return report.note().clone();
    }

    /** A snapshot of what each channel has carried, sending channels first. */
    public List<ChannelStats> channels() {
        return report.channels().stream()
                .map(c -> new ChannelStats(
                        c.index(),
                        c.sending(),
                        c.nic(),
                        c.peerNic(),
                        c.description(),
                        c.counters().bytes(),
                        c.counters().chunks(),
                        c.counters().damaged(),
                        c.counters().retried(),
                        c.counters().reconnects(),
                        times(c.counters().timing())))
                .toList();
    }

    private static ChannelTimes times(@Nullable ChannelTiming timing) {
        return timing == null ? ChannelTimes.NONE : timing.snapshot();
    }

    /** A snapshot of all that is counted. */
    public LinkStats stats() {
        return new LinkStats(gpu(), peer(), transfers.snapshot(), channels());
    }

    /** What is below the transport says of each open channel now; empty when the link has ended. Waits for the agent. */
    public List<ChannelConnections> connections() {
        if (ended.isDone()) {
            return List.of();
        }
        return Node.get(agent.call(() -> {
            List<ChannelConnections> all = new ArrayList<>();
            for (boolean sending : new boolean[] {true, false}) {
                session()
                        .engine()
                        .eachOpen(
                                sending,
                                (channel, index) -> all.add(new ChannelConnections(
                                        gpu(), index, sending, nic(sending, index), channel.connections())));
            }
            return List.copyOf(all);
        }));
    }

    private String nic(boolean sending, int channel) {
        return report.channels().stream()
                .filter(c -> c.sending() == sending && c.index() == channel)
                .map(LinkReport.ChannelView::nic)
                .findFirst()
                .orElse("unknown");
    }

    /** Sends the bytes {@code [offset, offset + length)} of a region of this link's GPU; they must stay as they are until it is done. */
    public Transfer send(Region region, long offset, long length) {
        return start("send", region, offset, length, c -> session().engine().send(region.block(), offset, length, c));
    }

    /** Receives exactly {@code length} bytes into a region of this link's GPU. */
    public Transfer receive(Region region, long offset, long length) {
        return start(
                "receive",
                region,
                offset,
                length,
                c -> session().engine().receive(region.block(), offset, length, c, System.nanoTime()));
    }

    /** Writes into a region of the peer's; it need not do anything. */
    public Transfer write(Region from, long offset, long length, RemoteRegion to, long toOffset) {
        return start(
                "write",
                from,
                offset,
                length,
                c -> session().engine().write(from.block(), offset, length, to.keyHigh(), to.keyLow(), toOffset, c));
    }

    /** Reads from a region of the peer's; it need not do anything. */
    public Transfer read(Region to, long offset, long length, RemoteRegion from, long fromOffset) {
        return start(
                "read",
                to,
                offset,
                length,
                c -> session()
                        .engine()
                        .read(
                                to.block(),
                                offset,
                                length,
                                from.keyHigh(),
                                from.keyLow(),
                                fromOffset,
                                c,
                                System.nanoTime()));
    }

    private interface EngineCall {
        void run(Completion completion);
    }

    private Transfer start(String kind, Region region, long offset, long length, EngineCall call) {
        region.check(offset, length);
        if (region.gpu() != gpu()) {
            throw new IllegalArgumentException("the region is on GPU " + region.gpu() + ", the link on GPU " + gpu());
        }
        Transfer transfer = new Transfer(length);
        Completion completion = transfer.completion(region, transfers, new TransferEvent(gpu(), kind, peer(), length));
        if (!agent.execute(() -> session().with(() -> call.run(completion)))) {
            completion.failed(new ClosedException("GPU " + gpu() + ": the node is closed"));
        }
        return transfer;
    }

    /** Makes a region known to every channel now, rather than at its first use. Waits. */
    public void register(Region region) {
        Node.get(agent.call(() -> {
            session().engine().register(region.block());
            return true;
        }));
    }

    /** Tells the peer's program something, in order with what else it is told. @param note at most 64 KiB */
    public void note(byte[] note) {
        if (note.length > 64 << 10) {
            throw new IllegalArgumentException("a note has at most 65536 bytes, this one has " + note.length);
        }
        byte[] copy = note.clone();
        agent.execute(() -> session().with(() -> session().note(copy)));
    }

    /**
     * The next thing the peer's program said.
     *
     * @throws SluiceException when the link ended, or nothing came within {@code atMost}
     */
    public byte[] awaitNote(Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        try {
            while (true) {
                long left = Math.max(0, end - System.nanoTime());
                // woken now and then, to see a link that ended
                byte[] note = notes.poll(Math.min(left, TimeUnit.MILLISECONDS.toNanos(50)), TimeUnit.NANOSECONDS);
                if (note != null) {
                    return note;
                }
                SluiceException why = ended.getNow(null);
                if (why != null && notes.isEmpty()) {
                    throw why;
                }
                if (left == 0) {
                    throw new LinkException(session().where() + ": no note within " + atMost.toMillis() + " ms");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException("interrupted while waiting for a note", e);
        }
    }

    /** Gives the peer the key of a region, under a name of at most 1000 bytes. */
    public void share(String name, Region region) {
        RemoteRegion key = region.remoteKey();
        agent.execute(() -> session().with(() -> session().region(name, key.keyHigh(), key.keyLow(), key.size())));
    }

    /** The key that the peer {@linkplain #share shares} under this name; completes when it has come, fails when the link ends. */
    public CompletableFuture<RemoteRegion> remoteRegion(String name) {
        CompletableFuture<RemoteRegion> f = named(name);
        SluiceException why = ended.getNow(null);
        if (why != null) {
            f.completeExceptionally(why);
        }
        return f.copy();
    }

    private CompletableFuture<RemoteRegion> named(String name) {
        return shared.computeIfAbsent(name, n -> new CompletableFuture<>());
    }

    /** Completes with the reason when the link is over: a {@link ClosedException} after a goodbye, from either side. */
    public CompletableFuture<SluiceException> ended() {
        return ended.copy();
    }

    /** Whether the link ended with a goodbye rather than a failure. */
    public boolean endedWell() {
        return goodbye;
    }

    Agent agent() {
        return agent;
    }

    void forget(Region region) {
        agent.execute(() -> session().with(() -> {
            try {
                session().engine().forget(region.block());
            } catch (org.sluice.spi.TransportException e) {
                throw new LinkException(session().where() + ": cannot deregister a region: " + e.getMessage(), e);
            }
        }));
    }

    /**
     * Says goodbye and frees the channels. Transfers that are not done fail. Idempotent; waits until nothing is in flight here, but
     * where a transfer's end is told it closes soon after instead.
     */
    @Override
    public void close() {
        if (agent.isCurrentThread()) {
            agent.execute(session()::close);
        } else if (!ended.isDone()) {
            Node.get(agent.call(() -> {
                session().close();
                return true;
            }));
        }
    }
}
