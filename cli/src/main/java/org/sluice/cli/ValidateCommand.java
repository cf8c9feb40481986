package org.sluice.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sluice.NodeConfig;
import org.sluice.cli.watch.Limits;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice validate HOST}: a client's run, every byte compared, judged line by line. */
@Command(
        name = "validate",
        header = "Runs against a server and says, line by line, whether this pair of machines is as it should be.",
        customSynopsis = "sluice validate HOST [OPTIONS]",
        description = "The other machine runs 'sluice server'. Bandwidth is judged against the NICs' speed, or what is"
                + " expected; CPU per GB, an even use of all NICs, retransmits, the kernel's word on what each NIC carried"
                + " and every byte are judged besides. Exit status 0 for valid, 6 for not.",
        footer = "Example: sluice validate 10.0.0.7 --nics eth1,eth2,eth3,eth4 --size 1GiB --expect 80GB/s",
        defaultValueProvider = Settings.FromEnvironment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class ValidateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "HOST", description = "the server's name or address")
    private String host = "";

    @Option(
            names = "--expect",
            paramLabel = "<rate>",
            converter = Rate.class,
            description = "payload to reach: 40GB/s, 320Gbit (80 %% of the NICs' speed)")
    private @Nullable Double expected;

    @Option(
            names = "--max-cpu",
            paramLabel = "<s/GB>",
            description = "most CPU seconds per GB of agents and I/O threads (1)")
    private double cpuSecondsPerGb = Limits.USUAL.cpuSecondsPerGb();

    @Mixin
    private Settings settings = new Settings();

    @Mixin
    private Watching watching = new Watching();

    @Override
    public Integer call() {
        RunPlan wanted = settings.plan(true);
        NodeConfig config = watching.apply(settings.node(wanted)).build();
        Limits limits = new Limits(
                expected == null ? 0 : expected,
                Limits.USUAL.shareOfSpeed(),
                cpuSecondsPerGb,
                Limits.USUAL.unevenness(),
                Limits.USUAL.retransmitShare());
        WatchedRun observer = watching.judge(config, limits);
        Report report = new NodeJob(Role.CLIENT, settings, config, wanted, settings.steps(Steps.NONE), 1, observer)
                .execute(host, "client");
        Validation validation = Validation.of(observer.verdicts(), report);
        PrintWriter out = spec.commandLine().getOut();
        out.print(settings.json() ? Json.of(validation) : validation.text());
        out.flush();
        return validation.pass() ? ExitCode.OK : ExitCode.INVALID;
    }
}
