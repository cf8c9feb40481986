package org.sluice.cli.job;

import java.util.concurrent.Callable;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.Version;
import org.sluice.cli.run.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sluice client HOST}: one side of the job, goes to the other and says what is run. */
@Command(
        name = "client",
        header = "Connects to a server, sends to it, and prints the result.",
        customSynopsis = "sluice client HOST [OPTIONS]",
        footer = "Example: sluice client 10.0.0.7 --size 1GiB --duration 10s --verify",
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class ClientCommand implements Callable<Integer> {
    @Parameters(paramLabel = "HOST", description = "the server's name or address")
    private String host = "";

    @Mixin
    private JobOptions job = new JobOptions();

    @Override
    public Integer call() {
        return job.run(Role.CLIENT, host);
    }
}
