package org.sluice.cli.options;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.sluice.rendezvous.Launch;
import picocli.CommandLine.Option;

/** The options that say which process of a job this is; what is not given is taken from the launcher's variables. */
public final class RendezvousOptions {
    @Option(names = "--rank", paramLabel = "<n>", description = "this node's number, from 0 (the launcher's)")
    private @Nullable Integer rank;

    @Option(names = "--world", paramLabel = "<n>", description = "how many nodes there are (the launcher's)")
    private @Nullable Integer world;

    @Option(
            names = "--rendezvous",
            paramLabel = "<host:port>",
            description = "where rank 0 is (the launcher's; port 20900)")
    private @Nullable String rendezvous;

    @Option(
            names = "--address",
            hidden = true,
            paramLabel = "<host>",
            description = "where others reach this node (as rank 0 sees it)")
    private String address = "";

    @Option(
            names = "--name",
            hidden = true,
            paramLabel = "<text>",
            description = "what this node is called in the result (its host name)")
    private String name = "";

    /** Whether the rank was given as an option. */
    public boolean rankIsGiven() {
        return rank != null;
    }

    /** @throws org.sluice.ConfigException when neither options nor the environment say all */
    public Launch launch(Map<String, String> environment) {
        return Launch.find(
                new Launch.Given(optional(rank), optional(world), Optional.ofNullable(rendezvous)), environment);
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    /** Where others reach this node; empty for where it comes from. */
    public String address() {
        return address;
    }

    /** What this node is called; empty for the name of its host. */
    public String name() {
        return name;
    }
}
