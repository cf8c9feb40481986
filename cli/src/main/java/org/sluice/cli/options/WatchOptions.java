package org.sluice.cli.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.Values;
import org.sluice.cli.run.Demands;
import org.sluice.cli.run.WatchedRun;
import org.sluice.cli.watch.Limits;
import org.sluice.cli.watch.MetricsAddress;
import org.sluice.cli.watch.Watch;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** The options by which a run is watched. */
public final class WatchOptions {
    @Option(
            names = "--progress",
            hidden = true,
            negatable = true,
            description = "show progress on stderr (on a terminal)")
    private @Nullable Boolean progress;

    @Option(names = "--metrics", paramLabel = "<[host]:port>", description = "serve a live page and Prometheus metrics")
    private @Nullable String metrics;

    @Option(names = "--report", paramLabel = "<file>", description = "write what was seen as one HTML file")
    private @Nullable Path report;

    @Option(names = "--csv", hidden = true, paramLabel = "<file>", description = "write the final figures as CSV")
    private @Nullable Path csv;

    @Option(
            names = "--instrument",
            hidden = true,
            paramLabel = "<on|off>",
            converter = OnOff.class,
            description = "keep times and latencies per channel (on)")
    private Switch instrument = Switch.ON;

    /** Reads a {@link Switch}. */
    static final class OnOff implements ITypeConverter<Switch> {
        @Override
        public Switch convert(String text) {
            return Values.oneOf(Switch.class, text);
        }
    }

    /** Not a boolean: those take no value of their own from the command line. */
    enum Switch {
        ON,
        OFF
    }

    public NodeConfig.Builder apply(NodeConfig.Builder node) {
        return node.instrumented(instrument == Switch.ON);
    }

    /**
     * Looks on as the options say.
     *
     * @param demands what the run must not do without
     * @param limits by which performance is judged, null where it is not
     * @throws ConfigException when a file cannot be written, which nobody wants to hear only after the run
     */
    public WatchedRun observer(NodeConfig config, @Nullable Limits limits, Demands demands) {
        mustBeWritable(csv);
        mustBeWritable(report);
        Watch.Outputs outputs = new Watch.Outputs(
                progress == null ? Watch.canShowProgress() : progress,
                Optional.ofNullable(metrics).map(MetricsAddress::of),
                Optional.ofNullable(csv),
                Optional.ofNullable(report),
                Json::of);
        return new WatchedRun(outputs, config, limits, demands);
    }

    private static void mustBeWritable(@Nullable Path file) {
        if (file == null) {
            return;
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new ConfigException("cannot write " + file + ": there is no folder " + folder);
        }
        if (Files.isDirectory(file) || !Files.isWritable(Files.exists(file) ? file : folder)) {
            throw new ConfigException("cannot write " + file + ": it is a folder, or may not be written");
        }
    }
}
