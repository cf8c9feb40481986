package org.sluice.transfer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.UnpackQueue;

/**
 * The one thread that owns a GPU: its context, its channels, its transfers. It turns its {@link Work}, reads control
 * connections, and rests in {@code select} when nothing is to be done; a doorbell, a command or a readable control connection
 * ends the rest.
 */
public final class Agent implements Doorbell, PieceQueues, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Agent.class);

    /** How long the agent may work without a look at the control connections: less than a grant's way over any network. */
    private static final long LOOK_NANOS = 20_000;

    /** Copies in flight of one GPU and direction; every channel's staging slots together stay below it. */
    private static final int COPY_CAPACITY = 4096;

    private static final int UNPACK_CAPACITY = 1024;

    /** Chunks of many pieces in flight of one GPU and direction, and their pieces. */
    private static final int PIECED_CHUNKS = 1024;

    private static final int PIECES = 64 << 10;

    private static final boolean FEW_CPUS = Runtime.getRuntime().availableProcessors() <= 4;

    private final Gpu gpu;
    private final UnpackMode unpackMode;
    private final Consumer<Gpu> atStart;
    private final Selector selector;
    private final Thread thread;
    private final ConcurrentLinkedQueue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private final List<Work> works = new ArrayList<>();
    private final Consumer<SelectionKey> dispatch = Agent::dispatch;
    private volatile boolean resting;
    private volatile boolean rung;
    private volatile boolean closing;
    private volatile boolean closed;
    private long lookedAt;
    private @Nullable CopyQueue toHost;
    private @Nullable CopyQueue toGpu;
    private @Nullable UnpackQueue unpack;
    private @Nullable PieceQueue gather;
    private @Nullable PieceQueue scatter;

    /** @param atStart called on the agent's thread when it begins, with the GPU current there */
    public Agent(Gpu gpu, UnpackMode unpackMode, Consumer<Gpu> atStart) {
        this.gpu = gpu;
        this.atStart = atStart;
        this.unpackMode = unpackMode;
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.thread = Thread.ofPlatform()
                .name("gpu" + gpu.id() + "-agent")
                .daemon(true)
                .unstarted(this::run);
        thread.start();
    }

    public Gpu gpu() {
        return gpu;
    }

    /**
     * Runs a command on the agent thread, in the order of calls from one thread.
     *
     * @return false when the agent has closed: the command will not run
     */
    public boolean execute(Runnable command) {
        commands.add(command);
        ring();
        // the agent says that it has closed, then runs what is there: what comes later is taken back here
        return !closed || !commands.remove(command);
    }

    /**
     * As {@link #execute}, with a result to wait for.
     *
     * @throws IllegalStateException on the agent thread, which would wait for itself: in what hangs on a transfer's end
     */
    public <T> CompletableFuture<T> call(Callable<T> command) {
        if (isCurrentThread()) {
            throw new IllegalStateException(
                    thread.getName() + " would wait for itself; do not call this where a transfer's end is told");
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        boolean taken = execute(() -> {
            try {
                result.complete(command.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        if (!taken) {
            result.completeExceptionally(new ClosedException(thread.getName() + " has ended: its node is closed"));
        }
        return result;
    }

    public boolean isCurrentThread() {
        return Thread.currentThread() == thread;
    }

    @Override
    public void ring() {
        rung = true;
        if (resting) {
            resting = false;
            selector.wakeup();
        }
    }

    /** Adds work to turn. Agent thread only. */
    public void add(Work work) {
        works.add(work);
    }

    public void remove(Work work) {
        works.remove(work);
    }

    /** Watches a control connection. Agent thread only. */
    public SelectionKey watch(SelectableChannel channel, int operations, Runnable whenReady) throws IOException {
        return channel.register(selector, operations, whenReady);
    }

    /** The GPU's queue of copies to pinned host memory. Agent thread only, as the two below. */
    public CopyQueue toHost() {
        if (toHost == null) {
            toHost = gpu.copyQueue(CopyQueue.Direction.TO_HOST, COPY_CAPACITY);
        }
        return toHost;
    }

    public CopyQueue toGpu() {
        if (toGpu == null) {
            toGpu = gpu.copyQueue(CopyQueue.Direction.TO_GPU, COPY_CAPACITY);
        }
        return toGpu;
    }

    public UnpackQueue unpack() {
        if (unpack == null) {
            unpack = gpu.unpackQueue(unpackMode, UNPACK_CAPACITY);
        }
        return unpack;
    }

    @Override
    public PieceQueue gather() {
        if (gather == null) {
            gather = gpu.pieceQueue(PieceQueue.Direction.GATHER, PIECED_CHUNKS, PIECES);
        }
        return gather;
    }

    @Override
    public PieceQueue scatter() {
        if (scatter == null) {
            scatter = gpu.pieceQueue(PieceQueue.Direction.SCATTER, PIECED_CHUNKS, PIECES);
        }
        return scatter;
    }

    @Override
    public GpuMemory allocate(long bytes) {
        return gpu.allocate(bytes);
    }

    private void run() {
        try {
            gpu.bindThread();
            begin();
            while (!closing) {
                turn();
            }
        } catch (Throwable e) {
            log.error("{} stopped: {}", thread.getName(), e.toString(), e);
        } finally {
            closed = true;
            runCommands();
            free();
        }
    }

    /** The caller's code: the agent works without it too. */
    private void begin() {
        try {
            atStart.accept(gpu);
        } catch (RuntimeException e) {
            log.warn("{}: what was to be called at its start failed: {}", thread.getName(), e.toString());
        }
    }

    private void turn() throws IOException {
        long now = System.nanoTime();
        rung = false;
        int work = runCommands();
        int rest = Work.IDLE_MILLIS;
        for (int i = 0; i < works.size(); i++) {
            Work w = works.get(i);
            work += w.doWork(now);
            rest = Math.min(rest, w.restMillis());
        }
        if (work > 0 || rest == 0) {
            if (now - lookedAt > LOOK_NANOS) {
                lookedAt = now;
                work += selector.selectNow(dispatch);
            }
            if (work == 0) {
                breathe();
            }
            return;
        }
        resting = true;
        if (rung || !commands.isEmpty() || closing) {
            resting = false;
            return;
        }
        selector.select(dispatch, rest);
        resting = false;
        lookedAt = System.nanoTime(); // the rest ended with a look
    }

    /** Nothing to do, but a copy or a plugin has to be asked again: with few CPUs, let those work who can. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void breathe() {
        if (FEW_CPUS) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    private static void dispatch(SelectionKey key) {
        ((Runnable) key.attachment()).run();
    }

    private int runCommands() {
        int count = 0;
        for (Runnable command = commands.poll(); command != null; command = commands.poll()) {
            try {
                command.run();
            } catch (RuntimeException e) {
                // one command's error must not end the GPU's thread, and with it every link
                log.error("{}: internal error: {}", thread.getName(), e.toString(), e);
            }
            count++;
        }
        return count;
    }

    private void free() {
        for (AutoCloseable owned : new @Nullable AutoCloseable[] {toHost, toGpu, unpack, gather, scatter, gpu, selector}) {
            try {
                if (owned != null) {
                    owned.close();
                }
            } catch (Exception e) {
                log.warn("{}: {}", thread.getName(), e.toString());
            }
        }
    }

    /** Ends the thread and frees the GPU. Idempotent; links must be closed before. */
    @Override
    public void close() {
        closing = true;
        ring();
        selector.wakeup();
        if (!isCurrentThread()) {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
