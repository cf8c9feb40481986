package org.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sluice server}: one side of the job, waits for the other. */
@Command(
        name = "server",
        header = "Waits for a client and receives what it sends.",
        customSynopsis = "sluice server [OPTIONS]",
        footer = "Example: sluice server --nics eth1,eth2,eth3,eth4 --verify",
        defaultValueProvider = Settings.FromEnvironment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class ServerCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private Settings settings = new Settings();

    @Override
    public Integer call() {
        RunPlan wanted = settings.plan(false);
        Report report = new NodeJob(
                        Role.SERVER, settings, settings.node(wanted).build(), wanted, settings.steps(Steps.STDERR), 1)
                .execute("", "server");
        return RunResult.print(
                report,
                settings.json(),
                spec.commandLine().getOut(),
                spec.commandLine().getErr());
    }
}
