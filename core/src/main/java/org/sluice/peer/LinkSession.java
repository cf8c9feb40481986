package org.sluice.peer;

import java.io.IOException;
import java.nio.IntBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Notification;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.TransferRefusal;
import org.sluice.Where;
import org.sluice.spi.GpuException;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.TransportException;
import org.sluice.transfer.Agent;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.OutboundEnd;
import org.sluice.transfer.Work;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.ControlListener;
import org.sluice.wire.CreditKind;

/**
 * A link at work: its data plane, its control connection, its heartbeats and its end. An agent turns it.
 *
 * <p>It ends in one of three ways: {@linkplain #close this side} says goodbye, the peer does, or something fails. In each case
 * the channels are closed before the transfers that are left are failed, and {@link #ended()} completes.
 */
public final class LinkSession implements Work {
    private static final Logger log = LoggerFactory.getLogger(LinkSession.class);

    /** Heartbeats in one peer timeout: three may be lost to a busy machine before the link is. */
    private static final int BEATS = 4;

    /** A peer may have a shorter timeout than this side. */
    private static final long MOST_BEAT_NANOS = 1_000_000_000;

    /**
     * How long words for the peer may be gathered while the engine is busy: one system call then carries the grants of several
     * turns. Far below the time that a window of chunks lasts.
     */
    private static final long GATHER_NANOS = 20_000;

    /**
     * Rest while chunks are under way: a transport rings when half of them are done, and the agent finds the others by itself.
     * Less than anybody sees, and too seldom to cost anything.
     */
    private static final int UNDERWAY_MILLIS = 5;

    /** What the peer's program hears besides transfers. */
    public interface Events {
        void note(byte[] note);

        /** A transfer has landed with it. */
        void notified(Notification notification);

        void region(String name, RemoteRegion region);

        /** The peer took a name back. */
        void withdrawn(String name);

        /** The link is over. @param why null after this side's or the peer's goodbye with nothing unfinished */
        void ended(SluiceException why, boolean goodbye);
    }

    private final Agent agent;
    private final LinkEngine engine;
    private final @Nullable ControlConnection control;
    private final @Nullable ControlWay way;
    private final @Nullable ChannelRepair repair;
    private final @Nullable ProgramWords words;
    private final ChannelManager manager;
    private final @Nullable LinkSharing sharing;
    private final boolean polls;
    private final Where where;
    private final String peer;
    private final long beatNanos;
    private final PeerSilence silence;
    private final Duration timeout;
    private final Events events;
    private final CompletableFuture<SluiceException> ended = new CompletableFuture<>();
    private final Listening listening = new Listening();
    private final Future<?> heart;
    private volatile @Nullable SluiceException abandoned;
    private boolean cleaned;
    private long now = System.nanoTime();
    private long flushedAt = now;
    private boolean hasLastWord;

    LinkSession(
            Agent agent,
            LinkEngine engine,
            @Nullable ControlConnection control,
            @Nullable ControlWay way,
            @Nullable ChannelRepair repair,
            @Nullable LinkSharing sharing,
            LinkRegions regions,
            ChannelManager manager,
            ChannelManager.Channels channels,
            boolean polls,
            Where where,
            String peer,
            Duration timeout,
            Events events)
            throws IOException {
        this.agent = agent;
        this.engine = engine;
        this.control = control;
        this.way = way;
        this.repair = repair;
        this.sharing = sharing;
        this.manager = manager;
        this.polls = polls;
        this.where = where;
        this.peer = peer;
        this.timeout = timeout;
        // so that the report, which may wait for the agent's rest, still comes within the timeout
        long timeoutNanos = timeout.toNanos() - timeout.toNanos() / 20;
        this.silence = new PeerSilence(timeoutNanos, now);
        this.beatNanos = Math.min(timeoutNanos / BEATS, MOST_BEAT_NANOS);
        this.events = events;
        this.words = control == null ? null : new ProgramWords(control, regions, events, where);
        for (OutboundEnd end : channels.outbound()) {
            engine.open(end);
        }
        for (InboundEnd end : channels.inbound()) {
            engine.open(end);
        }
        if (way != null) {
            way.begin(this, this::readable);
        }
        agent.add(this);
        if (sharing != null) {
            sharing.begin(run -> agent.execute(() -> with(run)));
        }
        agent.execute(this::readable); // what came together with the last word of the bootstrap rings no bell
        this.heart = agent.timer().every(Duration.ofNanos(beatNanos), this::beat);
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

    /** Runs a call into the engine; what it throws ends the link. Agent thread only. */
    public void with(Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            fail(e);
        }
    }

    /** What ends the link: a defect is named as one, a limit of the machine with its remedy. */
    @Override
    public void fail(Throwable why) {
        switch (why) {
            case SluiceException s -> fail(s.at(where));
            case GpuException g -> fail(new LinkException(where, String.valueOf(g.getMessage()), g));
            case ThreadLimitException t ->
                fail(new LinkException(ErrorCode.RESOURCES, where, String.valueOf(t.getMessage()), t));
            default -> {
                log.error("{}: internal error", where, why);
                fail(new LinkException(ErrorCode.INTERNAL, where, "internal error: " + why, why));
            }
        }
    }

    /**
     * The heartbeat, and the look at the agent: the node's timer calls it, since an agent that is held up for seconds by a plugin
     * or a busy machine is no dead peer, and one that does not come back at all must not look alive for ever.
     */
    private void beat() {
        ControlConnection c = control;
        if (ended.isDone()) {
            return;
        }
        try {
            if (agent.busyNanos() > agent.limits().hang().toNanos()) {
                abandon();
            } else if (c != null) {
                c.beat(System.nanoTime(), beatNanos / 2);
            }
        } catch (IOException e) {
            log.debug("{}: no heartbeat: {}", where, e.toString()); // the agent sees it too, and says so
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
        if (!ended.complete(why)) {
            return;
        }
        heart.cancel(false);
        log.error("{}", why.getMessage());
        events.ended(why, false);
        try {
            if (control != null) {
                control.errorFromOutside(String.valueOf(why.getMessage()));
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
        return words == null ? ProgramWords.impossible(where) : saying.with(words);
    }

    /** This side's program has one of the peer's notes: the peer may send more. Any thread. */
    public void noteTaken(int bytes) {
        ProgramWords w = words;
        if (w != null && w.noteTaken(bytes)) {
            agent.execute(() -> {
                if (!ended.isDone()) {
                    with(w::tellNotes);
                }
            });
        }
    }

    @Override
    public int doWork(long nanoTime) {
        now = nanoTime;
        if (control != null) {
            silence.turn(now, control.readAt());
        }
        if (ended.isDone()) {
            cleanUp();
            return 0;
        }
        try {
            int work = 0;
            if (control != null && control.mayHaveMore() && (way == null || !way.isBroken())) {
                readable();
                work++;
                if (ended.isDone()) {
                    return work;
                }
            }
            work += engine.doWork(now);
            if (repair != null) {
                work += repair.doWork(now);
            }
            if (control != null && way != null) {
                way.look(control, engine.unfinished() > 0, now);
                if (!way.isBroken() && (work == 0 || now - flushedAt > GATHER_NANOS)) {
                    flushedAt = now;
                    if (control.flush(now)) {
                        work++;
                    }
                }
                way.watchWrites(control.hasUnsent());
                // what came while this side did something else is still to be read
                if (silence.isTooLong(now, control.readAt()) && heardNothing(control)) {
                    throw new PeerLostException(
                            where,
                            "the peer has been silent for " + timeout.toMillis()
                                    + " ms on the control connection; it is frozen or cut off");
                }
            }
            return work;
        } catch (IOException e) {
            broke(e);
        } catch (Throwable e) {
            fail(e);
        }
        return 1;
    }

    private void broke(IOException e) {
        if (way == null || !way.survives(e)) {
            fail(new PeerLostException(
                    where, "the control connection broke (" + e.getMessage() + "); the peer died or was cut off", e));
        }
    }

    private boolean heardNothing(ControlConnection c) {
        readable();
        return !ended.isDone() && silence.isTooLong(now, c.readAt());
    }

    @Override
    public int restMillis() {
        if (ended.isDone()) {
            return IDLE_MILLIS;
        }
        if (engine.isCopying() || (polls && engine.unfinished() > 0)) {
            return 0;
        }
        if (repair != null && repair.isTrying()) {
            return ChannelManager.LOOK_MILLIS;
        }
        return engine.isIdle() ? IDLE_MILLIS : UNDERWAY_MILLIS;
    }

    private void readable() {
        ControlConnection c = control;
        if (c == null || ended.isDone() || (way != null && way.isBroken())) {
            return;
        }
        now = System.nanoTime();
        try {
            boolean more = c.read(listening, now);
            engine.heard(c.readAt());
            if (!more && !ended.isDone() && (way == null || !way.survivesEnd())) {
                fail(new PeerLostException(
                        where, "the peer closed the control connection without goodbye; it died or was killed"));
            }
        } catch (IOException e) {
            broke(e);
        } catch (Throwable e) {
            fail(e);
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

    /** To a peer that may have stopped reading long ago: then there is no room for it. */
    private void lastWord(Consumer<ControlConnection> word) {
        try {
            if (control != null) {
                word.accept(control);
                hasLastWord = true;
            }
        } catch (PeerLostException e) {
            log.debug("{}: {}", where, e.getMessage());
        }
    }

    /** Every step is taken, whatever another throws: whoever waits for a transfer or the end hears it. */
    private void end(SluiceException why, boolean goodbye) {
        heart.cancel(false);
        step("its channels", () -> engine.fail(why));
        boolean first = ended.complete(why);
        step("its last words", () -> {
            if (control != null) {
                control.flushLast(now);
            }
        });
        step("what waits to be said", () -> {
            if (words != null) {
                words.end(why);
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
        agent.remove(this);
        if (way != null) {
            way.end();
        }
        step("the control connection", () -> {
            if (control != null && hasLastWord) {
                Farewell.to(control, agent.timer());
            } else if (control != null) {
                control.close();
            }
        });
        step("its repairs", () -> {
            if (repair != null) {
                repair.close();
            }
        });
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

    private final class Listening implements ControlListener {
        @Override
        public void onOpen(long id, long length, long tag, long mostChunk, int priority, int flags) {
            engine.onOpen(new Announcement(id, length, mostChunk, priority, flags, tag), now);
        }

        @Override
        public void onWrite(
                long id,
                long length,
                RemoteRegion region,
                long offset,
                int layout,
                long mostChunk,
                int priority,
                int flags) {
            engine.onWrite(new Announcement(id, length, mostChunk, priority, flags, 0), region, offset, layout, now);
        }

        @Override
        public void onRead(
                long id,
                long length,
                RemoteRegion region,
                long offset,
                int layout,
                long mostChunk,
                int priority,
                int flags) {
            engine.onRead(new Announcement(id, length, mostChunk, priority, flags, 0), region, offset, layout);
        }

        @Override
        public void onLayout(int number, RemoteLayout layout) {
            engine.onLayout(number, layout);
        }

        @Override
        public void onPrepare(int number) {
            engine.onPrepare(number);
        }

        @Override
        public void onRelease(int number) {
            engine.onRelease(number);
        }

        @Override
        public void onSelection(int number, int prepared, int total, IntBuffer indices) {
            engine.onSelection(number, prepared, total, indices);
        }

        @Override
        public void onCancel(long id, int why) {
            engine.onCancel(id, reason(why));
        }

        @Override
        public void onEnded(long id, int why) {
            engine.onEnded(id, reason(why));
        }

        private EndReason reason(int code) {
            EndReason reason = EndReason.of(code);
            if (reason == null) {
                throw new ProtocolException(where, "the peer ended a transfer for unknown reason " + code);
            }
            return reason;
        }

        @Override
        public void onNotification(byte[] bytes) {
            engine.onNotification(bytes);
        }

        @Override
        public void onTaken(long cost) {
            engine.onTaken(cost);
        }

        @Override
        public void onBytes(byte[] bytes) {
            engine.onBytes(bytes);
        }

        @Override
        public void onGrant(long id, long offset, long bytes, int channel, int generation) {
            engine.onGrant(id, offset, bytes, channel, generation);
        }

        @Override
        public void onLanded(long id) {
            engine.onLanded(id);
        }

        @Override
        public void onRefused(long id, TransferRefusal why, long detail) {
            engine.onRefused(id, why, detail);
        }

        @Override
        public void onChannelDown(boolean weSend, int channel, int generation, String why) {
            engine.onChannelDown(weSend, channel, generation, why);
            if (repair != null) {
                repair.onDown(weSend, channel, generation, why, now);
            }
        }

        @Override
        public void onChannelHandle(int channel, int generation, byte[] handle) {
            repair().onHandle(channel, generation, handle, now);
        }

        @Override
        public void onChannelUp(int channel, int generation) {
            repair().onUp(channel, generation);
        }

        @Override
        public void onShareDoor(byte[] handle) {
            sharing("a door").onDoor(handle);
        }

        @Override
        public void onHeld(int number, int state, String why) {
            sharing("a block").onHeld(number, state, why);
        }

        @Override
        public void onUnshare(int number) {
            sharing("a block").onUnshare(number);
        }

        private LinkSharing sharing(String what) {
            if (sharing == null) {
                throw new ProtocolException(
                        where, "the peer speaks of " + what + " of memory, which is not shared here");
            }
            return sharing;
        }

        private ChannelRepair repair() {
            if (repair == null) {
                throw new ProtocolException(where, "the peer makes a channel anew, but this link cannot");
            }
            return repair;
        }

        @Override
        public void onPing() {
            if (control != null) {
                control.pong();
            }
        }

        @Override
        public void onNote(byte[] note) {
            words().onNote(note);
        }

        @Override
        public void onRegion(String name, long keyHigh, long keyLow, long size) {
            words().onRegion(name, new RemoteRegion(keyHigh, keyLow, size));
        }

        @Override
        public void onWithdraw(String name) {
            words().onWithdraw(name);
        }

        @Override
        public void onCredit(CreditKind kind, long totalCount, long totalBytes) {
            words().onCredit(kind, totalCount, totalBytes);
        }

        private ProgramWords words() {
            if (words == null) {
                throw new IllegalStateException("heard without a control connection");
            }
            return words;
        }

        @Override
        public void onError(String why) {
            fail(new PeerLostException(ErrorCode.PEER_GAVE_UP, where, "the peer gave the link up: " + why));
        }

        @Override
        public void onGoodbye() {
            end(new ClosedException(where, "the peer closed the link"), true);
        }
    }
}
