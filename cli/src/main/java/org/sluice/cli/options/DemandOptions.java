package org.sluice.cli.options;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.Requirements;
import org.sluice.cli.common.Rate;
import org.sluice.cli.run.Demands;
import picocli.CommandLine.Option;

/** The options by which a run fails rather than be slow in silence. */
public final class DemandOptions {
    @Option(
            names = "--require-nics",
            hidden = true,
            paramLabel = "<n|a,b>",
            description = "fail unless so many NICs carry, or these")
    private @Nullable String nics;

    @Option(
            names = "--require-transport",
            hidden = true,
            paramLabel = "<name>",
            description = "fail over any other transport")
    private @Nullable String transport;

    @Option(
            names = "--min-rate",
            hidden = true,
            paramLabel = "<rate>",
            converter = Rate.class,
            description = "tell within 3 s when it is slower, and fail: 40GB/s")
    private @Nullable Double rate;

    /** @throws ConfigException when a demand says nothing */
    public Demands demands() {
        if (rate != null && rate <= 0) {
            throw new ConfigException("--min-rate must be above 0");
        }
        return new Demands(nics, transport, rate == null ? 0 : rate);
    }

    /** The same for a node that runs for itself: checked for each link. @throws ConfigException when a demand says nothing */
    public Requirements requirements() {
        Demands wanted = demands();
        String required = wanted.nics();
        boolean number = required != null && required.matches("\\d{1,4}");
        return new Requirements(
                number ? Integer.parseInt(required) : 0,
                required == null || number ? List.of() : List.of(required.split("\\s*,\\s*", -1)),
                Optional.ofNullable(transport),
                wanted.gbPerSecond());
    }
}
