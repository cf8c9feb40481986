package org.sluice.peer;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.LinkingStep;
import org.sluice.LinkingStep.Phase;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;
import org.sluice.stats.PhaseEvent;
import org.sluice.wire.Deadline;

/**
 * Takes the links of several GPUs from one stage to the next, each on a thread of its own. A phase ends when all are through, and the
 * first failure ends the whole.
 */
final class SideBySide {
    private static final Logger log = LoggerFactory.getLogger(SideBySide.class);

    /** Between looks at what other GPUs' threads have met. */
    private static final Duration LOOK = Duration.ofMillis(50);

    /** For the steps of other GPUs to end once one has failed: each has a deadline, but for what hangs. */
    private static final Duration LEAVE = Duration.ofSeconds(2);

    private final boolean server;
    private final List<LinkAttempt> attempts;
    private final Consumer<LinkingStep> steps;
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();

    /** What makes the next stage of a link. */
    interface Step<A extends LinkStage, B extends LinkStage> {
        B from(A link) throws IOException, InterruptedException;
    }

    /** @param steps told each step, in the order of the GPUs */
    SideBySide(boolean server, List<LinkAttempt> attempts, Consumer<LinkingStep> steps) {
        this.server = server;
        this.attempts = attempts;
        this.steps = steps;
    }

    /** @param channels how many a link has, as far as is known then @throws SluiceException the first failure */
    <A extends LinkStage, B extends LinkStage> List<B> run(
            Phase phase, List<A> links, Step<A, B> step, ToIntFunction<B> channels) {
        steps.accept(new LinkingStep.Begun(server, phase));
        AtomicReferenceArray<B> done = new AtomicReferenceArray<>(links.size());
        List<Thread> threads = start(phase, links, step, done);
        List<B> all = new ArrayList<>();
        try {
            for (int i = 0; i < threads.size(); i++) {
                await(threads.get(i), threads);
                if (failure.get() == null) {
                    B next = done.get(i);
                    all.add(next);
                    steps.accept(new LinkingStep.GpuDone(
                            server, phase, next.attempt().gpu(), channels.applyAsInt(next)));
                }
            }
        } catch (InterruptedException e) {
            threads.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
            throw new ClosedException(
                    ErrorCode.INTERRUPTED,
                    Where.NOWHERE.phase(Where.Phase.BOOTSTRAP),
                    "interrupted while links were being made",
                    e);
        }
        RuntimeException first = failure.get();
        if (first != null) {
            throw first;
        }
        steps.accept(new LinkingStep.Ended(server, phase));
        return all;
    }

    private <A extends LinkStage, B extends LinkStage> List<Thread> start(
            Phase phase, List<A> links, Step<A, B> step, AtomicReferenceArray<B> done) {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < links.size(); i++) {
            A link = links.get(i);
            int place = i;
            Thread thread = Thread.ofPlatform()
                    .name("gpu" + link.attempt().gpu() + "-bootstrap")
                    .daemon(true)
                    .unstarted(() -> take(phase, link, step, place, done));
            try {
                threads.add(Threads.start(thread));
            } catch (ThreadLimitException e) {
                fail(failed(link.attempt(), e));
                break;
            }
        }
        return threads;
    }

    private void await(Thread one, List<Thread> all) throws InterruptedException {
        Deadline end = Deadline.in(LEAVE);
        while (!one.join(LOOK)) {
            if (failure.get() == null) {
                end = Deadline.in(LEAVE);
            } else if (end.passed()) {
                log.warn("{} does not come back from its step and is left behind", one.getName());
                return;
            } else {
                all.forEach(Thread::interrupt); // those who wait for a client would wait on
            }
        }
    }

    private <A extends LinkStage, B extends LinkStage> void take(
            Phase phase, A link, Step<A, B> step, int place, AtomicReferenceArray<B> done) {
        PhaseEvent event = new PhaseEvent(
                phase.name().toLowerCase(Locale.ROOT), link.attempt().gpu());
        event.begin();
        try {
            done.set(place, step.from(link));
            event.commit();
        } catch (Throwable e) {
            if (failure.get() == null) {
                fail(failed(link.attempt(), e));
            }
        }
    }

    /** Why a step failed; whatever it threw, nobody may take it for done. */
    private static SluiceException failed(LinkAttempt link, Throwable why) {
        return switch (why) {
            case IOException e -> new LinkException(link.where(), "during the bootstrap: " + e.getMessage(), e);
            case InterruptedException e -> new ClosedException(ErrorCode.INTERRUPTED, link.where(), "interrupted", e);
            default -> Faults.of(why, link.place());
        };
    }

    private void fail(RuntimeException e) {
        if (failure.compareAndSet(null, e)) {
            attempts.forEach(l -> l.cancel(String.valueOf(e.getMessage())));
        }
    }
}
