package org.sluice.cli;

import java.util.concurrent.Callable;
import org.sluice.NodeConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice client HOST}: one side of the job, goes to the other and says what is run. */
@Command(
        name = "client",
        header = "Connects to a server, sends to it, and prints the result.",
        customSynopsis = "sluice client HOST [OPTIONS]",
        footer = "Example: sluice client 10.0.0.7 --size 1GiB --duration 10s --verify",
        defaultValueProvider = Settings.FromEnvironment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class ClientCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "HOST", description = "the server's name or address")
    private String host = "";

    @Mixin
    private Settings settings = new Settings();

    @Mixin
    private Watching watching = new Watching();

    @Override
    public Integer call() {
        RunPlan wanted = settings.plan(false);
        NodeConfig config = watching.apply(settings.node(wanted)).build();
        Report report = new NodeJob(
                        Role.CLIENT,
                        settings,
                        config,
                        wanted,
                        settings.steps(Steps.STDERR),
                        1,
                        watching.observer(config))
                .execute(host, "client");
        return RunResult.print(
                report,
                settings.json(),
                spec.commandLine().getOut(),
                spec.commandLine().getErr());
    }
}
