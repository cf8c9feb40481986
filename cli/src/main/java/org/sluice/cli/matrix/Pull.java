package org.sluice.cli.matrix;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.sluice.ErrorCode;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;

/**
 * One direction, measured by the side that reads: for a fixed time, after some more in which it gets warm, and by what has landed in between,
 * so that neither the beginning nor the end of a transfer counts. What lies in memory then is compared. One thread.
 */
final class Pull {
    private static final int PINGS = 200;

    /** Of the time that a direction has. */
    private static final int PINGS_PART = 10;

    private static final int WARM_UP_PART = 4;

    /** So many times the time is waited on while not a single byte lands. */
    private static final int MOST_TIMES = 5;

    /** What one read takes about, once the rate is known: several are under way, and what they have queued is latency to all others. */
    private static final Duration PIECE = Duration.ofMillis(10);

    private final Plan plan;
    private final Memory memory;

    Pull(Plan plan, Memory memory) {
        this.plan = plan;
        this.memory = memory;
    }

    /** Reads from all GPUs of the partner at once. */
    Measured from(PairLinks links, int partner) {
        double[] pings = pings(links);
        List<Reading> readings = new ArrayList<>();
        for (int g = 0; g < links.links().size(); g++) {
            memory.clear(g, 0, plan.size());
            readings.add(new Reading(
                    links.links().get(g), memory.in(g), links.from().get(g), 0, plan.size(), plan.atMost()));
        }
        Window window = during(readings, List.of(links), plan);
        long verified = 0;
        long wrong = 0;
        for (int g = 0; g < readings.size(); g++) {
            verified += readings.get(g).covered();
            wrong += memory.wrong(g, 0, readings.get(g).covered(), partner);
        }
        return new Measured(window, verified, wrong, quantile(pings, 0.5), quantile(pings, 0.99));
    }

    /** @param p50Micros of the pings */
    record Measured(Window window, long verified, long wrong, double p50Micros, double p99Micros) {
        Sight sight(int partner, PairLinks links) {
            return new Sight(
                    partner,
                    "",
                    window.seconds(),
                    verified,
                    wrong,
                    p50Micros,
                    p99Micros,
                    links.flows(window.before().getFirst(), window.after().getFirst()));
        }
    }

    /** What had landed when the clock started and when it stopped, for each partner. */
    record Window(double seconds, List<Map<String, Long>> before, List<Map<String, Long>> after) {}

    /** Runs all readings, and counts while they are warm. */
    static Window during(List<Reading> readings, List<PairLinks> partners, Plan plan) {
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("matrix-reads-", 0).factory())) {
            List<Future<?>> running = new ArrayList<>();
            readings.forEach(r -> running.add(threads.submit(r)));
            try {
                long begun = System.nanoTime();
                List<Map<String, Long>> cold = landed(partners);
                rest(running, plan.time().dividedBy(WARM_UP_PART));
                List<Map<String, Long>> before = landed(partners);
                long from = System.nanoTime();
                double rate = (sum(before) - sum(cold)) * 1e9 / (from - begun) / readings.size();
                readings.forEach(r -> r.pace(rate, PIECE));
                rest(running, plan.time());
                List<Map<String, Long>> after = landed(partners);
                for (int more = 0; more < MOST_TIMES && sum(after) == sum(before); more++) {
                    rest(running, plan.time()); // on a machine that has no time for it, or nothing moves at all
                    after = landed(partners);
                }
                double seconds = (System.nanoTime() - from) / 1e9;
                readings.forEach(Reading::stop);
                for (Future<?> f : running) {
                    f.get(plan.atMost().toMillis(), TimeUnit.MILLISECONDS);
                }
                return new Window(seconds, before, after);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof SluiceException s
                        ? s
                        : new LinkException("a read failed: " + e.getCause(), e);
            } catch (TimeoutException e) {
                throw new LinkException(
                        "reads did not end within " + plan.atMost().toSeconds() + " s", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LinkException(ErrorCode.INTERRUPTED, Where.NOWHERE, "interrupted while measuring", e);
            } finally {
                readings.forEach(Reading::stop);
            }
        }
    }

    private static List<Map<String, Long>> landed(List<PairLinks> partners) {
        return partners.stream().map(PairLinks::landed).toList();
    }

    private static long sum(List<Map<String, Long>> landed) {
        return landed.stream()
                .flatMap(m -> m.values().stream())
                .mapToLong(n -> n)
                .sum();
    }

    /** Lets time pass, unless one of them fails first. */
    private static void rest(List<Future<?>> running, Duration time) throws InterruptedException, ExecutionException {
        try {
            running.getFirst().get(time.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // as it should be: it goes on until it is stopped
        }
    }

    /** Microseconds of writing 8 bytes, sorted; as many as a part of the time has room for, but one at least. */
    private double[] pings(PairLinks links) {
        Link link = links.links().getFirst();
        long end = System.nanoTime() + plan.time().toNanos() / PINGS_PART;
        double[] all = new double[PINGS];
        int n = 0;
        // the first one finds everything cold
        link.write(memory.out(0), 0, Long.BYTES, links.into().getFirst(), 0).await(plan.atMost());
        while (n < PINGS && (n == 0 || System.nanoTime() < end)) {
            long from = System.nanoTime();
            link.write(memory.out(0), 0, Long.BYTES, links.into().getFirst(), 0).await(plan.atMost());
            all[n++] = (System.nanoTime() - from) / 1e3;
        }
        double[] sorted = Arrays.copyOf(all, n);
        Arrays.sort(sorted);
        return sorted;
    }

    private static double quantile(double[] sorted, double part) {
        return sorted[(int) Math.ceil(part * sorted.length) - 1];
    }
}
