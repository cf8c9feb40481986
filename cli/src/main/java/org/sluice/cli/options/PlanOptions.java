package org.sluice.cli.options;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.cli.common.Values;
import org.sluice.cli.run.RunPlan;
import picocli.CommandLine.Option;

/** The options that say what is run. Null is "not given", so that a server knows what it was told. */
public final class PlanOptions {
    @Option(
            names = "--size",
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "per GPU and iteration: 512KiB, 1GiB (64MiB)")
    private @Nullable Long size;

    @Option(names = "--iters", paramLabel = "<n>", description = "iterations (20)")
    private @Nullable Long iters;

    @Option(
            names = "--duration",
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "run for 500ms, 3s, 2m instead of --iters")
    private @Nullable Duration duration;

    @Option(names = "--verify", negatable = true, description = "compare every byte (client, server: off)")
    private @Nullable Boolean verify;

    @Option(names = "--bidirectional", description = "the server's GPUs send as well")
    private boolean bidirectional;

    /** @throws org.sluice.ConfigException when the options do not fit each other */
    public RunPlan plan(boolean verifyByDefault) {
        return new RunPlan(
                size == null ? RunPlan.DEFAULT_SIZE : size,
                iters != null ? iters : duration != null ? 0 : RunPlan.DEFAULT_ITERS,
                duration == null ? Duration.ZERO : duration,
                verify == null ? verifyByDefault : verify,
                bidirectional);
    }

    /** The size this side was told to use, in so many words. */
    public Optional<Long> givenSize() {
        return Optional.ofNullable(size);
    }
}
