package org.sluice.transfer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.UnpackMode;
import org.sluice.Where;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Gpu;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.UnpackQueue;

/**
 * The one thread that owns a GPU: its context, its channels, its transfers. It turns that part of its {@link Work} which has
 * something to do, reads control connections, and rests in {@code select} when nothing is to be done; a doorbell, a command, a
 * readable control connection or work whose time has come ends the rest.
 *
 * <p>What throws ends alone: a piece of work fails with what hangs on it, a command with its caller. An agent that cannot go on
 * fails all its work first, {@linkplain #ended says so}, and answers every later call with the reason. One that does not come
 * back from a call of a plugin or driver is given up by whoever waits for it, by name.
 */
public final class Agent implements Doorbell, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Agent.class);

    /** How long the agent may work without a look at the control connections: less than a grant's way over any network. */
    private static final long LOOK_NANOS = 20_000;

    /** With no work at all. */
    private static final int MOST_REST_MILLIS = 60_000;

    private final Gpu gpu;
    private final GpuQueues queues;
    private final NodeTimer timer;
    private final AgentLimits limits;
    private final Consumer<Gpu> atStart;
    private final long spinNanos;
    private final Selector selector;
    private final AgentThread thread;
    private final AgentCommands commands;
    private final AgentCalls calls = new AgentCalls(this);
    private final WorkList works;
    // made once: each turn hands them on
    private final Consumer<SelectionKey> dispatch = this::dispatch;
    private final CompletableFuture<SluiceException> ended = new CompletableFuture<>();
    private volatile boolean resting;
    private volatile boolean rung;
    private volatile boolean closing;
    private volatile boolean closed;
    private long lookedAt;
    private long workedAt = System.nanoTime();

    /** What is done when a connection is ready, and whose bell is rung for it. */
    private record Ready(WorkBell owner, Runnable run) {}

    /**
     * @param timer ends waits for this agent that are overdue
     * @param atStart called on the agent's thread when it begins, with the GPU current there
     * @throws ThreadLimitException when the machine gives no thread
     */
    public Agent(Gpu gpu, UnpackMode unpackMode, NodeTimer timer, AgentLimits limits, Consumer<Gpu> atStart) {
        this.gpu = gpu;
        this.timer = timer;
        this.limits = limits;
        this.spinNanos = limits.spin().toNanos();
        this.atStart = atStart;
        this.queues = new GpuQueues(gpu, unpackMode, limits.stagingBytes());
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String name = "gpu" + gpu.id() + "-agent";
        this.works = new WorkList(name);
        this.commands = new AgentCommands(name);
        this.thread = new AgentThread(name, this::run);
        try {
            thread.start();
        } catch (ThreadLimitException e) {
            close(selector);
            throw e;
        }
    }

    public Gpu gpu() {
        return gpu;
    }

    public NodeTimer timer() {
        return timer;
    }

    public AgentLimits limits() {
        return limits;
    }

    /** Completes when the agent is no more: with the reason, or with a {@link ClosedException} after {@link #close}. */
    public CompletableFuture<SluiceException> ended() {
        return ended.copy();
    }

    /** Why the agent ended, null while it goes on. */
    public @Nullable SluiceException endedBecause() {
        return ended.getNow(null);
    }

    /** How long the agent has not come round, nanoseconds: 0 while it rests. Any thread. */
    public long busyNanos() {
        return thread.busyNanos();
    }

    /** The agent's thread and the call that it is in, for messages about an agent that does not come back. Any thread. */
    public String doing() {
        return thread.doing();
    }

    /**
     * Runs a command on the agent thread, in the order of calls from one thread.
     *
     * @param otherwise told why instead, when the agent has ended and the command will not run; on any thread
     */
    public void execute(Runnable command, Consumer<SluiceException> otherwise) {
        AgentCommands.Command c = commands.add(command, otherwise);
        ring();
        // the agent says that it has ended, then rejects what is there: what comes later is taken back here
        if (closed && commands.takeBack(c)) {
            otherwise.accept(reason());
        }
    }

    /** As {@link #execute(Runnable, Consumer)}, where nobody waits for it. @return false when the agent has ended */
    public boolean execute(Runnable command) {
        boolean[] taken = {true};
        execute(command, why -> taken[0] = false);
        return taken[0];
    }

    private SluiceException reason() {
        SluiceException why = ended.getNow(null);
        return why != null ? why : new ClosedException(where(), thread.name() + " has ended: its node is closed");
    }

    Where where() {
        return Where.ofGpu(gpu.id()).phase(Where.Phase.LINKED);
    }

    /** As {@link #call(String, Callable, Duration, Consumer)}, within the agent's usual limit. */
    public <T> CompletableFuture<T> call(String what, Callable<T> command) {
        return calls.call(what, command, limits.call(), late -> {});
    }

    /**
     * Runs a command on the agent thread and gives its result. It always completes: with the reason when the agent has ended, and
     * with a {@link LinkException} of {@link ErrorCode#AGENT_HANGS} when the agent has not answered within the limit.
     *
     * @param what in words that follow "it was asked for": {@code "memory of 4096 bytes"}
     * @param late gets a result that came after the limit, so that it can be freed; on the agent thread
     * @throws IllegalStateException on the agent thread, which would wait for itself: in what hangs on a transfer's end
     */
    public <T> CompletableFuture<T> call(String what, Callable<T> command, Duration limit, Consumer<? super T> late) {
        return calls.call(what, command, limit, late);
    }

    /**
     * Frees something of the GPU's: on the agent thread, or on this one when the agent has ended by a failure, whose GPU is open
     * until {@link #close}.
     */
    public CompletableFuture<Void> release(String what, Runnable free, Duration limit) {
        return calls.release(what, free, limit);
    }

    /** It ended by a failure, and its thread does nothing with the GPU any more. */
    void onGpuOfTheEnded(Runnable free) {
        synchronized (ended) {
            gpu.bindThread();
            free.run();
        }
    }

    String threadName() {
        return thread.name();
    }

    public boolean isCurrentThread() {
        return thread.isCurrent();
    }

    @Override
    public void ring() {
        rung = true;
        if (resting) {
            resting = false;
            selector.wakeup();
        }
    }

    /** A bell for one piece of work, which is to be {@linkplain #add added}. Any thread. */
    public WorkBell bell() {
        return new WorkBell(works.rungBells(), this);
    }

    /** Adds work to turn: now, and whenever its bell rings. Agent thread only. */
    public void add(Work work, WorkBell bell) {
        works.add(work, bell);
    }

    /** The work is turned no more. Agent thread only. */
    public void remove(Work work, WorkBell bell) {
        works.remove(work, bell);
    }

    /** Watches a control connection; what {@code whenReady} throws fails its owner, who is turned after it. Agent thread only. */
    public SelectionKey watch(SelectableChannel channel, int operations, WorkBell owner, Runnable whenReady)
            throws IOException {
        return channel.register(selector, operations, new Ready(owner, whenReady));
    }

    /** The GPU's pinned slots for what is sent. Agent thread only, as the two below. */
    public StagingPool sendSlots() {
        return queues.sendSlots();
    }

    public StagingPool receiveSlots() {
        return queues.receiveSlots();
    }

    public UnpackQueue unpack() {
        return queues.unpack();
    }

    /** What chunks of many pieces need of the GPU. Agent thread only. */
    public PieceQueues pieces() {
        return queues;
    }

    private void run() {
        SluiceException why = new ClosedException(where(), thread.name() + " has ended: its node is closed");
        try {
            gpu.bindThread();
            begin();
            while (!closing) {
                turn();
            }
            commands.runSome();
        } catch (Throwable e) {
            String text = thread.name() + " has ended, and with it every link and transfer of the GPU: "
                    + (e instanceof ThreadLimitException ? e.getMessage() : e.toString());
            why = new LinkException(ErrorCode.AGENT_ENDED, where(), text, e);
            log.error("{}", why.getMessage(), e);
        } finally {
            end(why);
        }
        if (why instanceof ClosedException) {
            free();
        }
    }

    /** Nobody may wait for what will not come: first the work, then the world, then who still has something in the queue. */
    private void end(SluiceException why) {
        works.failAll(why);
        ended.complete(why);
        rejectCommands(why);
        thread.rests();
    }

    private void rejectCommands(SluiceException why) {
        closed = true;
        commands.rejectAll(why);
    }

    /** The caller's code: the agent works without it too. */
    private void begin() {
        try {
            atStart.accept(gpu);
        } catch (Throwable e) {
            log.warn("{}: what was to be called at its start failed: {}", thread.name(), e.toString(), e);
        }
    }

    private void turn() throws IOException {
        long now = System.nanoTime();
        thread.comesRound(now);
        rung = false;
        int work = commands.runSome();
        work += works.turn(now);
        if (work > 0) {
            workedAt = now;
        }
        boolean looks = work == 0 && now - workedAt < spinNanos;
        if (work > 0 || works.again() || looks) {
            if (looks || now - lookedAt > LOOK_NANOS) {
                lookedAt = now;
                int seen = selector.selectNow(dispatch);
                work += seen;
                workedAt = seen > 0 ? now : workedAt;
            }
            if (work == 0) {
                AgentThread.breathe();
            }
            return;
        }
        resting = true;
        int rest = works.restMillis(now, MOST_REST_MILLIS);
        if (rung || rest == 0 || !commands.isEmpty() || closing) {
            resting = false;
            return;
        }
        thread.rests();
        selector.select(dispatch, rest);
        resting = false;
        lookedAt = System.nanoTime(); // the rest ended with a look
    }

    private void dispatch(SelectionKey key) {
        thread.comesRound(System.nanoTime());
        Ready ready = (Ready) key.attachment();
        resting = false; // it comes round anyhow: nobody has to wake it
        ready.owner.ring();
        try {
            ready.run.run();
        } catch (Throwable e) {
            works.fail(ready.owner, e);
        }
    }

    private void free() {
        for (AutoCloseable owned : new AutoCloseable[] {queues, gpu, selector}) {
            close(owned);
        }
    }

    private void close(AutoCloseable owned) {
        try {
            owned.close();
        } catch (Throwable e) {
            log.warn("gpu{}-agent: while freeing: {}", gpu.id(), e.toString());
        }
    }

    /** Tells the thread to end and does not wait for it. Links must be closed before. */
    public void beginClose() {
        closing = true;
        ring();
        selector.wakeup();
    }

    /** As {@link #close(Duration)}, within the usual limit. */
    @Override
    public void close() {
        close(limits.close());
    }

    /**
     * Ends the thread and frees the GPU. Idempotent; links must be closed before. A thread that does not come back from a call is
     * left behind, with the GPU and its memory, and the log names both.
     */
    public void close(Duration limit) {
        beginClose();
        if (isCurrentThread()) {
            return;
        }
        if (!thread.join(limit)) {
            String text = doing() + " and does not end within " + limit.toMillis()
                    + " ms: it is left behind, with all memory of the GPU";
            SluiceException why = new LinkException(ErrorCode.AGENT_HANGS, where().phase(Where.Phase.CLOSING), text);
            log.error("{}", why.getMessage());
            ended.complete(why);
            rejectCommands(why);
            return;
        }
        synchronized (ended) {
            if (selector.isOpen()) {
                gpu.bindThread(); // it ended by a failure: nobody has freed the GPU yet
                free();
            }
        }
    }
}
