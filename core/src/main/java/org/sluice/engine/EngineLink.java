package org.sluice.engine;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.Batch;
import org.sluice.ChannelConnections;
import org.sluice.ChannelStats;
import org.sluice.ClosedException;
import org.sluice.Completions;
import org.sluice.ErrorCode;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.LinkPath;
import org.sluice.LinkStats;
import org.sluice.LocalSide;
import org.sluice.NotDoneException;
import org.sluice.Notification;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.RemoteSide;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.peer.LinkEvents;
import org.sluice.peer.LinkReport;
import org.sluice.peer.LinkSession;
import org.sluice.transfer.Agent;

/**
 * All channels between a local and a remote GPU. The n-th {@link #send} of one side meets the n-th {@link #receive} of the
 * other; many may be under way. With a peer's {@link RemoteRegion} key, {@link #write} and {@link #read} need nobody there.
 *
 * <p>Any thread may use it; calls of one thread keep their order. Nothing here waits but what says so.
 */
final class EngineLink implements Link {
    private static final int MOST_NOTE = 64 << 10;

    private final Agent agent;
    private final LinkReport report;
    private final BlockingQueue<byte[]> notes = new LinkedBlockingQueue<>();
    private final LinkView seen;
    private final SharedNames shared = new SharedNames();
    private final CompletableFuture<SluiceException> ended = new CompletableFuture<>();
    private final Notifications notifications = new Notifications();
    private final LinkTransfers transfers;
    private volatile boolean goodbye;
    private volatile @Nullable LinkSession session;

    EngineLink(Agent agent, LinkReport report) {
        this.agent = agent;
        this.report = report;
        this.seen = new LinkView(report);
        this.transfers = new LinkTransfers(this, agent);
    }

    /** What the session reports; package-private: {@link LocalNode} hands it to the control plane. */
    static final class Events implements LinkEvents {
        private final CompletableFuture<EngineLink> link = new CompletableFuture<>();

        void bind(EngineLink to) {
            link.complete(to);
        }

        @Override
        public void note(byte[] note) {
            link.thenAccept(l -> l.notes.add(note));
        }

        @Override
        public void notified(Notification notification) {
            link.thenAccept(l -> l.notifications.add(notification));
        }

        @Override
        public void region(String name, RemoteRegion region) {
            link.thenAccept(l -> l.shared.add(name, region));
        }

        @Override
        public void withdrawn(String name) {
            link.thenAccept(l -> l.shared.remove(name));
        }

        @Override
        public void ended(SluiceException why, boolean goodbye) {
            link.thenAccept(l -> {
                l.goodbye = goodbye;
                l.shared.end(why);
                l.notifications.end(why);
                l.ended.complete(why);
                if (why.code() == ErrorCode.AGENT_HANGS) {
                    l.transfers.abandon(why); // the agent may never come to them
                }
            });
        }
    }

    void bind(LinkSession to) {
        session = to;
        notifications.taken(bytes -> transfers.onAgent(engine -> engine.taken(bytes)));
    }

    LinkSession session() {
        LinkSession s = session;
        if (s == null) {
            throw new IllegalStateException("not bound");
        }
        return s;
    }

    @Override
    public int gpu() {
        return report.gpu();
    }

    @Override
    public String peer() {
        return session().peer();
    }

    @Override
    public LinkPath path() {
        return report.path();
    }

    @Override
    public byte[] offeredNote() {
        return report.note().clone();
    }

    @Override
    public List<ChannelStats> channels() {
        return seen.stats();
    }

    @Override
    public LinkStats stats() {
        return new LinkStats(gpu(), peer(), transfers.snapshot(), channels());
    }

    @Override
    public List<ChannelConnections> connections() {
        return ended.isDone()
                ? List.of()
                : seen.connections(agent, () -> session().engine());
    }

    @Override
    public Transfer send(LocalSide from, TransferOptions options) {
        return transfers.send(from, options);
    }

    @Override
    public Transfer receive(LocalSide to, TransferOptions options) {
        return transfers.receive(to, options);
    }

    @Override
    public Transfer write(LocalSide from, RemoteSide to, TransferOptions options) {
        return transfers.write(from, to, options);
    }

    @Override
    public Transfer read(LocalSide to, RemoteSide from, TransferOptions options) {
        return transfers.read(to, from, options);
    }

    @Override
    public void post(Batch batch) {
        transfers.post(batch);
    }

    @Override
    public int poll(Completions into) {
        return transfers.poll(into);
    }

    @Override
    public int poll(Completions into, Duration atMost) {
        return transfers.poll(into, atMost);
    }

    @Override
    public PreparedLayout prepare(Layout layout) {
        return new PreparedLocal(this, layout);
    }

    @Override
    public PreparedRemoteLayout prepare(RemoteLayout layout) {
        return transfers.prepare(layout);
    }

    LinkTransfers transfers() {
        return transfers;
    }

    @Override
    public Optional<Notification> pollNotification() {
        return notifications.poll();
    }

    @Override
    public CompletableFuture<Notification> nextNotification() {
        return notifications.next();
    }

    @Override
    public void onNotification(Consumer<Notification> program) {
        notifications.listener(program);
    }

    void withdraw(RemoteRegion key, boolean now) {
        transfers.onAgent(engine -> engine.withdraw(key.keyHigh(), key.keyLow(), now));
    }

    @Override
    public void register(Region region) {
        Callable<Boolean> registering = () -> {
            session().engine().register(OwnedRegion.of(region).block());
            return true;
        };
        Answers.get(agent.call(
                "registering " + region.size() + " bytes",
                registering,
                agent.limits().call(region.size()),
                late -> {}));
    }

    @Override
    public CompletableFuture<Void> note(byte[] note) {
        if (note.length > MOST_NOTE) {
            throw new IllegalArgumentException(
                    "a note has at most " + MOST_NOTE + " bytes, this one has " + note.length);
        }
        byte[] copy = note.clone();
        return say(s -> s.note(copy));
    }

    private interface Saying {
        CompletableFuture<Void> on(LinkSession session);
    }

    private CompletableFuture<Void> say(Saying saying) {
        CompletableFuture<Void> said = new CompletableFuture<>();
        Runnable onAgent = () -> saying.on(session()).whenComplete((ok, why) -> {
            if (why == null) {
                said.complete(null);
            } else {
                said.completeExceptionally(why);
            }
        });
        agent.execute(
                () -> {
                    session().with(onAgent);
                    SluiceException why = ended.getNow(null);
                    if (why != null) {
                        said.completeExceptionally(why); // what was to be said has ended the link
                    }
                },
                said::completeExceptionally);
        return said;
    }

    @Override
    public byte[] awaitNote(Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        try {
            while (true) {
                long left = Math.max(0, end - System.nanoTime());
                // woken now and then, to see a link that ended
                byte[] note = notes.poll(Math.min(left, TimeUnit.MILLISECONDS.toNanos(50)), TimeUnit.NANOSECONDS);
                if (note != null) {
                    session().noteTaken(note.length);
                    return note;
                }
                SluiceException why = ended.getNow(null);
                if (why != null && notes.isEmpty()) {
                    throw why;
                }
                if (left == 0) {
                    throw new NotDoneException(session().where(), "no note within " + atMost.toMillis() + " ms");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(
                    ErrorCode.INTERRUPTED, session().where(), "interrupted while waiting for a note", e);
        }
    }

    @Override
    public CompletableFuture<Void> share(String name, Region region) {
        SharedNames.check(name);
        RemoteRegion key = region.remoteKey();
        return say(s -> s.share(name, key));
    }

    @Override
    public CompletableFuture<Void> withdraw(String name) {
        SharedNames.check(name);
        return say(s -> s.withdraw(name));
    }

    @Override
    public CompletableFuture<RemoteRegion> remoteRegion(String name) {
        CompletableFuture<RemoteRegion> f = shared.of(name);
        SluiceException why = ended.getNow(null);
        if (why != null) {
            f.completeExceptionally(why);
        }
        return f.copy();
    }

    @Override
    public CompletableFuture<SluiceException> ended() {
        return ended.copy();
    }

    @Override
    public boolean endedWell() {
        return goodbye;
    }

    /** Whether transfers that this side's program asked for are under way. */
    boolean isBusy() {
        return transfers.isBusy();
    }

    boolean hasEnded() {
        return ended.isDone();
    }

    Agent agent() {
        return agent;
    }

    /** For tests: something that runs as the link's own commands do. */
    void inject(Runnable command) {
        agent.execute(() -> session().with(command));
    }

    /** Forgets a region that no transfer uses. @return completes when the peer has it open no more */
    CompletableFuture<Void> forget(Region region) {
        CompletableFuture<Void> letGo = new CompletableFuture<>();
        agent.execute(
                () -> session().forget(OwnedRegion.of(region).block()).thenRun(() -> letGo.complete(null)),
                why -> letGo.complete(null));
        return letGo;
    }

    @Override
    public void close() {
        if (agent.isCurrentThread()) {
            agent.execute(session()::close);
        } else {
            awaitClose(beginClose());
        }
    }

    /** Asks the agent to close it, and does not wait. */
    CompletableFuture<Boolean> beginClose() {
        if (ended.isDone()) {
            return CompletableFuture.completedFuture(true);
        }
        Callable<Boolean> closing = () -> {
            session().close();
            return true;
        };
        return agent.call("closing a link", closing, agent.limits().close(), late -> {});
    }

    /** What does not close in time is given up: the log says which thread hangs in what. */
    void awaitClose(CompletableFuture<Boolean> closing) {
        try {
            Answers.get(closing);
        } catch (SluiceException e) {
            if (e.code() == ErrorCode.AGENT_HANGS) {
                session().abandon();
            } else if (e.code() == ErrorCode.INTERRUPTED) {
                throw e;
            }
            // else the agent has ended, and this link with it
        }
    }
}
