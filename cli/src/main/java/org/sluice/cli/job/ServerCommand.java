package org.sluice.cli.job;

import java.util.concurrent.Callable;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.Version;
import org.sluice.cli.run.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sluice server}: one side of the job, waits for the other. */
@Command(
        name = "server",
        header = "Waits for a client and receives what it sends.",
        customSynopsis = "sluice server [OPTIONS]",
        footer = "Example: sluice server --nics eth1,eth2,eth3,eth4 --verify",
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class ServerCommand implements Callable<Integer> {
    @Mixin
    private JobOptions job = new JobOptions();

    @Override
    public Integer call() {
        return job.run(Role.SERVER, "");
    }
}
