package org.sluice.cli;

import java.util.concurrent.Callable;
import org.sluice.NodeConfig;
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

    @Mixin
    private Watching watching = new Watching();

    @Override
    public Integer call() {
        RunPlan wanted = settings.plan(false);
        NodeConfig config = watching.apply(settings.node(wanted)).build();
        Report report = new NodeJob(
                        Role.SERVER,
                        settings,
                        config,
                        wanted,
                        settings.steps(Steps.STDERR),
                        1,
                        watching.observer(config))
                .execute("", "server");
        return RunResult.print(
                report,
                settings.json(),
                spec.commandLine().getOut(),
                spec.commandLine().getErr());
    }
}
