package org.sluice.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.NodeConfig;
import org.sluice.cli.watch.Limits;
import org.sluice.cli.watch.MetricsAddress;
import org.sluice.cli.watch.Watch;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options by which a run is watched. */
final class Watching {
    @Option(names = "--progress", negatable = true, description = "show progress on stderr (where that is a terminal)")
    private @Nullable Boolean progress;

    @Option(
            names = "--metrics",
            paramLabel = "<[host]:port>",
            description = "serve a live page and Prometheus metrics; without a host to this machine alone")
    private @Nullable String metrics;

    @Option(names = "--report", paramLabel = "<file>", description = "write what was seen as one HTML file")
    private @Nullable Path report;

    @Option(names = "--csv", paramLabel = "<file>", description = "write the final figures as CSV")
    private @Nullable Path csv;

    @Option(
            names = "--instrument",
            paramLabel = "<on|off>",
            arity = "1", // a boolean would take none
            converter = OnOff.class,
            description = "keep times and latencies per channel (on)")
    private boolean instrument = true;

    static final class OnOff implements ITypeConverter<Boolean> {
        @Override
        public Boolean convert(String text) {
            return switch (text) {
                case "on" -> true;
                case "off" -> false;
                default -> throw new TypeConversionException("'" + text + "' is neither on nor off");
            };
        }
    }

    NodeConfig.Builder apply(NodeConfig.Builder node) {
        return node.instrumented(instrument);
    }

    /** Somebody who looks on as the options say. */
    WatchedRun observer(NodeConfig config) {
        return new WatchedRun(
                new Watch.Outputs(
                        progress == null ? Watch.canShowProgress() : progress,
                        Optional.ofNullable(metrics).map(MetricsAddress::of),
                        Optional.ofNullable(csv),
                        Optional.ofNullable(report),
                        Json::of),
                config,
                Limits.USUAL,
                false);
    }

    /** As {@link #observer}, but one who judges performance too. */
    WatchedRun judge(NodeConfig config, Limits limits) {
        return observer(config).judging(limits);
    }
}
