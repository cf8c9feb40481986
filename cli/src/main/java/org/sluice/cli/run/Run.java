package org.sluice.cli.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.cli.common.Failure;
import org.sluice.cli.common.Threads;

/**
 * Moves bytes between all GPUs of two nodes as planned, one thread per GPU. With verification the GPUs go in step: fill,
 * transfer, compare, and only transfer is timed. Without, each GPU keeps several transfers under way.
 */
final class Run {
    /** Payload that a GPU keeps under way, so that a transfer's beginning and end leave no gap. */
    private static final long UNDER_WAY_BYTES = 8 << 20;

    private static final long MOST_UNDER_WAY = 64;

    private final List<GpuLane> lanes;
    private final RunPlan plan;
    private final Pace pace;
    private final Span span;
    private final CyclicBarrier step;
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
    private boolean open;

    /** @param span of all lanes */
    Run(List<GpuLane> lanes, RunPlan plan, Pace pace, Span span) {
        this.lanes = List.copyOf(lanes);
        this.plan = plan;
        this.pace = pace;
        this.span = span;
        this.step = new CyclicBarrier(lanes.size());
    }

    /** Runs to the end. @throws org.sluice.SluiceException the first failure of any GPU, after the others have stopped too */
    void execute() {
        List<Thread> threads = new ArrayList<>();
        for (GpuLane lane : lanes) {
            threads.add(Thread.ofPlatform()
                    .name("gpu" + lane.link().gpu() + "-run")
                    .unstarted(() -> guarded(lane, threads)));
        }
        try {
            threads.forEach(Threads::start);
        } catch (ConfigException e) {
            failed(e);
            threads.forEach(Thread::interrupt);
        }
        for (Thread t : threads) {
            joined(t);
        }
        RuntimeException first = failure.get();
        if (first != null) {
            throw pace.explain(first);
        }
        span.close();
    }

    private void joined(Thread t) {
        try {
            t.join();
        } catch (InterruptedException e) {
            failed(new ClosedException("interrupted", e));
            Thread.currentThread().interrupt();
        }
    }

    private void guarded(GpuLane lane, List<Thread> threads) {
        try {
            lane.prepare();
            if (plan.verify()) {
                inStep(lane);
            } else {
                pipelined(lane);
            }
        } catch (Throwable e) { // a lane that ends in silence would keep the others at the barrier
            if (failed(Failure.asRuntime(e))) {
                threads.stream().filter(t -> t != Thread.currentThread()).forEach(Thread::interrupt);
            }
        }
    }

    /** Closes the links, so that the lanes end; regions stay, since lanes may be at work on them. */
    private boolean failed(RuntimeException e) {
        if (!failure.compareAndSet(null, e)) {
            return false;
        }
        pace.giveUp(e);
        lanes.stream().map(GpuLane::link).forEach(Link::close);
        return true;
    }

    private void pipelined(GpuLane lane) {
        int depth = (int) Math.clamp(UNDER_WAY_BYTES / Math.max(1, plan.size()), 2, MOST_UNDER_WAY);
        for (long i = 0; pace.mayRun(i); i++) {
            lane.receive();
            lane.send();
            lane.drainTo(plan.bidirectional() ? 2 * depth : depth);
            lane.endIteration();
        }
        lane.drainTo(0);
        lane.closeSpan();
    }

    private void inStep(GpuLane lane) {
        for (long i = 0; ; i++) {
            long iteration = i;
            lane.fill(i);
            together(() -> {
                span.close();
                open = pace.mayRun(iteration);
            });
            if (!open) {
                return;
            }
            lane.receive();
            together(() -> pace.bothReady(iteration));
            lane.send();
            lane.drainTo(0);
            lane.closeSpan();
            lane.compare(i);
            lane.endIteration();
        }
    }

    /** All lanes meet, one does it for all, and all go on. */
    private void together(Runnable once) {
        try {
            if (step.await() == 0) {
                once.run();
            }
            step.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new LinkException("another GPU's run failed", e);
        }
        RuntimeException first = failure.get();
        if (first != null) {
            throw first;
        }
    }

    /** What all lanes compared. */
    Outcome outcome() {
        return lanes.stream().map(GpuLane::outcome).reduce(Outcome.NONE, Outcome::plus);
    }

    long iterations() {
        return lanes.stream().mapToLong(GpuLane::iterations).max().orElse(0);
    }
}
