package org.sluice.cli.watch;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelStats;
import org.sluice.ConfigException;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.PathTaken;
import org.sluice.cli.common.Threads;

/**
 * Watches the links of a node during a run: reads the counters some times a second on a thread of its own, shows them live where
 * that is wanted, and says in the end what was seen. Writes nothing to stdout.
 */
public final class Watch implements AutoCloseable {
    private static final Duration EVERY = Duration.ofMillis(250);

    private final Outputs outputs;
    private final Meter meter;
    private final Painter painter;
    private final Timeline timeline = new Timeline();
    private final Map<String, Double> movedAt = new HashMap<>();
    private final Map<String, Double> stalled = new HashMap<>();
    private final PrintStream stderr = System.err;
    private final @Nullable Progress progress;
    private final PrometheusText prometheus;
    private final RateGuard guard;
    private final PathTaken path;
    private final Thread thread;
    private boolean ended;
    private double movingCpuSeconds;
    private @Nullable Picture last;

    /**
     * Where to show what is seen.
     *
     * @param progress whether stderr, a terminal, shows it live
     * @param metrics address of the page and of Prometheus' metrics
     * @param csv file for the final figures
     * @param report file for the page
     * @param json makes the JSON document of a record
     */
    public record Outputs(
            boolean progress,
            Optional<MetricsAddress> metrics,
            Optional<Path> csv,
            Optional<Path> report,
            Function<Record, String> json) {}

    private Watch(Outputs outputs, Node node, List<Link> links, Context context) {
        this.outputs = outputs;
        this.meter = new Meter(node, links);
        this.painter = new Painter(node, links, context);
        this.progress = outputs.progress()
                ? new Progress(links.stream().map(Link::gpu).toList(), meter.nics(), context.plannedBytes(), stderr)
                : null;
        this.guard = new RateGuard(context.leastGbPerSecond());
        this.prometheus = new PrometheusText(node, links);
        this.path = PathTaken.of(node, links);
        if (progress != null) {
            System.setErr(progress.others()); // what is logged meanwhile
        }
        look();
        this.thread =
                Threads.start(Thread.ofPlatform().name("watch").daemon(true).unstarted(this::run));
    }

    /** Whether stderr is a terminal on which progress can be painted. */
    public static boolean canShowProgress() {
        return Progress.isPossible();
    }

    /** Begins to watch. */
    public static Watch begin(Outputs outputs, Node node, List<Link> links, Context context) {
        return new Watch(outputs, node, links, context);
    }

    private void run() {
        try {
            while (!Thread.interrupted()) {
                Thread.sleep(EVERY);
                look();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private synchronized void look() {
        if (ended) {
            return;
        }
        Reading reading = meter.read();
        timeline.add(reading);
        lookForStalls(reading);
        guard.look(reading).ifPresent(line -> System.err.println("sluice: " + line));
        if (progress != null) {
            progress.show(reading, stalled);
        }
    }

    /** A NIC is stalled for as long as chunks are in flight there and no byte of them is counted. */
    private void lookForStalls(Reading reading) {
        Map<String, Integer> inFlight = new HashMap<>();
        for (List<ChannelStats> channels : meter.channels().values()) {
            for (ChannelStats c : channels) {
                inFlight.merge(c.nic(), c.times().inFlight(), Integer::sum);
            }
        }
        List<Reading> earlier = timeline.readings();
        Reading before = earlier.size() < 2 ? reading : earlier.get(earlier.size() - 2);
        for (int n = 0; n < meter.nics().size(); n++) {
            String nic = meter.nics().get(n);
            boolean owes = inFlight.getOrDefault(nic, 0) > 0;
            if (!owes || reading.nicBytes(n) != before.nicBytes(n)) {
                movedAt.put(nic, reading.seconds());
            }
            stalled.put(nic, reading.seconds() - movedAt.getOrDefault(nic, reading.seconds()));
        }
    }

    /** What is to be seen now; after the end, what was seen then. */
    public synchronized Picture picture() {
        Picture over = last;
        return over != null ? over : painter.paint(timeline.readings(), meter.movingCpuSeconds(), stalled, null, null);
    }

    /** The counters now, for Prometheus. */
    String metrics() {
        boolean below;
        synchronized (this) {
            below = guard.isBelow();
        }
        return prometheus.text() + PathMetrics.of(path, below);
    }

    /** The last byte has landed: takes the last reading, and all that the kernel knows. */
    public synchronized void freeze() {
        look();
        movingCpuSeconds = meter.movingCpuSeconds();
        painter.freeze();
        ended = true;
        hideProgress();
    }

    private void hideProgress() {
        if (progress != null) {
            progress.clear();
            System.setErr(stderr);
        }
    }

    /**
     * What the run came to is known: judges it and writes what is to be written. After {@link #freeze}.
     *
     * @param limits by which performance is judged, null where it is not
     * @throws ConfigException when a file cannot be written
     */
    public synchronized Picture end(RunEnd end, @Nullable Limits limits) {
        Picture picture = painter.paint(timeline.readings(), movingCpuSeconds, Map.of(), end, limits);
        last = picture;
        outputs.csv().ifPresent(file -> write(file, CsvText.of(picture)));
        outputs.report().ifPresent(file -> write(file, Page.of(outputs.json().apply(picture))));
        return picture;
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new ConfigException("cannot write " + file + ": " + e, e);
        }
    }

    /** Stops watching. Idempotent. */
    @Override
    public void close() {
        thread.interrupt();
        synchronized (this) {
            if (!ended) {
                hideProgress();
            }
            ended = true;
        }
    }
}
