package org.sluice.peer;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.PeerLostException;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.TransportException;
import org.sluice.transfer.Agent;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.OutboundEnd;
import org.sluice.transfer.Work;
import org.sluice.transfer.WorkBell;
import org.sluice.wire.ControlConnection;

/**
 * A link at work: its data plane, its control connection, its heartbeats and its end. An agent turns it.
 *
 * <p>It ends in one of three ways: {@linkplain #close this side} says goodbye, the peer does, or something fails. In each case
 * the channels are closed before the transfers that are left are failed, and {@link #ended()} completes.
 */
public final class LinkSession implements Work {
    private static final Logger log = LoggerFactory.getLogger(LinkSession.class);

    private final Agent agent;
    private final WorkBell bell;
    private final LinkRest rest;
    private final LinkEngine engine;
    private final @Nullable ControlPlane plane;
    private final @Nullable PeerListener listener;
    private final ChannelManager manager;
    private final @Nullable LinkSharing sharing;
    private final boolean polls;
    private final Where where;
    private final String peer;
    private final LinkEvents events;
    private final CompletableFuture<SluiceException> ended = new CompletableFuture<>();
    // made once: each turn of the agent hands them on
    private final Runnable reading = this::readable;
    private final BooleanSupplier over = ended::isDone;
    /** Ends the looks at the agent, and the heartbeats. */
    private final Runnable heart;

    private volatile @Nullable SluiceException abandoned;
    private boolean cleaned;
    private long now;

    LinkSession(
            Agent agent,
            LinkEngine engine,
            @Nullable ControlPlane plane,
            @Nullable LinkSharing sharing,
            ChannelManager manager,
            ChannelManager.Channels channels,
            boolean polls,
            Where where,
            String peer,
            Heart heart,
            LinkEvents events)
            throws IOException {
        this.agent = agent;
        this.bell = manager.bell();
        this.engine = engine;
        this.plane = plane;
        this.rest = new LinkRest(engine, plane);
        this.listener = plane == null ? null : new PeerListener(engine, plane, sharing, new SaidEnd(), where);
        this.sharing = sharing;
        this.manager = manager;
        this.polls = polls;
        this.where = where;
        this.peer = peer;
        this.events = events;
        for (OutboundEnd end : channels.outbound()) {
            engine.open(end);
        }
        for (InboundEnd end : channels.inbound()) {
            engine.open(end);
        }
        if (plane != null) {
            plane.begin(bell, reading);
        }
        agent.add(this, bell);
        if (sharing != null) {
            sharing.begin(run -> agent.execute(() -> with(run)));
        }
        agent.execute(() -> with(reading)); // what came together with the last word of the bootstrap rings no bell
        this.heart = heart.begin(this::lookAtAgent);
    }

    @Nullable LinkSharing sharing() {
        return sharing;
    }

    /** Forgets a block that no transfer uses. @return completes when the peer has it open no more. Agent thread only */
    public CompletableFuture<Void> forget(MemoryBlock block) {
        with(() -> {
            try {
                engine.forget(block);
            } catch (TransportException e) {
                throw new LinkException(where, "cannot deregister a region: " + e.getMessage(), e);
            }
        });
        return sharing == null ? CompletableFuture.completedFuture(null) : sharing.forget(block);
    }

    public LinkEngine engine() {
        return engine;
    }

    public Where where() {
        return where;
    }

    public String peer() {
        return peer;
    }

    /** Completes with the reason when the link is over. */
    public CompletableFuture<SluiceException> ended() {
        return ended;
    }

    /** Runs a call into the engine, which has a turn after it; what it throws ends the link. Agent thread only. */
    public void with(Runnable call) {
        bell.ring();
        try {
            call.run();
        } catch (Throwable e) {
            fail(e);
        }
    }

    @Override
    public void fail(Throwable why) {
        fail(Faults.of(why, where));
    }

    /** What looks at the link now and then, whatever its agent is kept from. */
    interface Heart {
        /** @param look short, on any thread @return ends it */
        Runnable begin(Runnable look);
    }

    /**
     * The node's timer calls it: an agent that is held up for seconds by a plugin or a busy machine is no dead peer, and one that does not
     * come back at all must not look alive for ever.
     */
    private void lookAtAgent() {
        if (!ended.isDone() && agent.busyNanos() > agent.limits().hang().toNanos()) {
            abandon();
        }
    }

    /** The agent does not come back: everybody hears it but the agent, which cleans up should it ever come. Any thread. */
    public void abandon() {
        SluiceException why = new LinkException(
                ErrorCode.AGENT_HANGS,
                where,
                "the link is given up: " + agent.doing() + " for " + agent.busyNanos() / 1_000_000
                        + " ms; what it holds is not freed");
        abandoned = why;
        bell.ring(); // should it ever come back, it cleans up
        if (!ended.complete(why)) {
            return;
        }
        heart.run();
        log.error("{}", why.getMessage());
        events.ended(why, false);
        try {
            if (plane != null) {
                plane.control().errorFromOutside(String.valueOf(why.getMessage()));
            }
        } catch (IOException e) {
            log.debug("{}: last words were lost: {}", where, e.toString());
        }
    }

    /** Something to say to the peer's program. */
    private interface Saying {
        CompletableFuture<Void> with(ProgramWords words);
    }

    /** Tells the peer's program something. @return completes when it is on its way, fails when it will not be. Agent thread only */
    public CompletableFuture<Void> note(byte[] note) {
        return say(w -> w.note(note));
    }

    /** As {@link #note}, of a region under a name. */
    public CompletableFuture<Void> share(String name, RemoteRegion region) {
        return say(w -> w.share(name, region));
    }

    /** As {@link #note}: the name stands for nothing any more, and the peer begins no access by its key. */
    public CompletableFuture<Void> withdraw(String name) {
        return say(w -> w.withdraw(name));
    }

    private CompletableFuture<Void> say(Saying saying) {
        SluiceException why = ended.getNow(null);
        if (why != null) {
            return CompletableFuture.failedFuture(why);
        }
        bell.ring();
        return plane == null ? ProgramWords.impossible(where) : saying.with(plane.words());
    }

    /** This side's program has one of the peer's notes: the peer may send more. Any thread. */
    public void noteTaken(int bytes) {
        ControlPlane p = plane;
        if (p != null && p.words().noteTaken(bytes)) {
            agent.execute(() -> {
                if (!ended.isDone()) {
                    with(p.words()::tellNotes);
                }
            });
        }
    }

    @Override
    public int doWork(long nanoTime) {
        now = nanoTime;
        if (plane != null) {
            plane.turn(now);
        }
        if (ended.isDone()) {
            cleanUp();
            return 0;
        }
        try {
            int work = plane == null ? engine.doWork(now) : doWork(plane);
            rest.turned(work, now);
            return work;
        } catch (IOException e) {
            broke(e);
        } catch (Throwable e) {
            fail(e);
        }
        return 1;
    }

    private int doWork(ControlPlane p) throws IOException {
        int work = p.readMore(reading);
        return ended.isDone() ? work : p.doWork(work + engine.doWork(now), engine.isUnderWay(), reading, over);
    }

    private void broke(IOException e) {
        if (plane == null || !plane.survives(e)) {
            fail(new PeerLostException(
                    where, "the control connection broke (" + e.getMessage() + "); the peer died or was cut off", e));
        }
    }

    @Override
    public int restMillis() {
        if (ended.isDone()) {
            return LinkRest.MOST_MILLIS;
        }
        if (engine.isCopying() || (polls && engine.unfinished() > 0)) {
            return 0;
        }
        return rest.millis(now);
    }

    private void readable() {
        ControlPlane p = plane;
        PeerListener to = listener;
        if (p == null || to == null || ended.isDone() || p.isBroken()) {
            return;
        }
        try {
            boolean more = p.read(to, over);
            engine.heard(p.control().readAt());
            if (!more && !ended.isDone()) {
                fail(new PeerLostException(
                        where, "the peer closed the control connection without goodbye; it died or was killed"));
            }
        } catch (IOException e) {
            broke(e);
        } catch (Throwable e) {
            fail(e);
        }
    }

    private final class SaidEnd implements PeerListener.End {
        @Override
        public void failed(PeerLostException why) {
            fail(why);
        }

        @Override
        public void goodbye(ClosedException why) {
            end(why, true);
        }
    }

    /** Ends the link from this side. Transfers that are not finished fail with {@link ClosedException}. */
    public void close() {
        if (!ended.isDone()) {
            lastWord(ControlConnection::goodbye);
            end(new ClosedException(where, "the link was closed by this side"), true);
        }
    }

    private void fail(SluiceException why) {
        if (ended.isDone()) {
            cleanUp();
            return;
        }
        if (!(why instanceof PeerLostException)) {
            lastWord(c -> c.error(String.valueOf(why.getMessage())));
        }
        end(why, false);
    }

    private void lastWord(Consumer<ControlConnection> word) {
        if (plane != null) {
            plane.lastWord(word);
        }
    }

    /** Every step is taken, whatever another throws: whoever waits for a transfer or the end hears it. */
    private void end(SluiceException why, boolean goodbye) {
        heart.run();
        step("its channels", () -> engine.fail(why));
        boolean first = ended.complete(why);
        step("its last words", () -> {
            if (plane != null) {
                plane.flushLast();
            }
        });
        step("what waits to be said", () -> {
            if (plane != null) {
                plane.endWords(why);
            }
        });
        free();
        if (first) {
            step("who is told", () -> events.ended(why, goodbye));
        }
    }

    /** An agent that was given up has come back: what it holds is freed late. */
    private void cleanUp() {
        SluiceException why = abandoned;
        if (why != null && !cleaned) {
            cleaned = true;
            log.info("{}: the agent has come back, and frees what the link held", where);
            step("its channels", () -> engine.fail(why));
            free();
        }
    }

    private void free() {
        agent.remove(this, bell);
        if (plane != null) {
            plane.endWay();
            step("the control connection", () -> plane.close(agent.timer()));
            step("its repairs", () -> plane.repair().close());
        }
        step("its staging", manager::close);
        if (sharing != null) {
            step("what is shared", sharing::end);
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    private void step(String what, Step step) {
        try {
            step.run();
        } catch (IOException e) {
            log.debug("{}: closing {}: {}", where, what, e.toString());
        } catch (Throwable e) {
            log.warn("{}: closing {}: {}", where, what, e.toString(), e);
        }
    }
}
