package org.sluice.cli.job;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sluice.NodeConfig;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Rate;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import org.sluice.cli.run.Report;
import org.sluice.cli.run.Role;
import org.sluice.cli.run.RunPlan;
import org.sluice.cli.run.Steps;
import org.sluice.cli.watch.Limits;
import org.sluice.cli.watch.Verdict;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sluice validate HOST}: a client's run, every byte compared, judged line by line. */
@Command(
        name = "validate",
        header = "Runs against a server and judges this pair of machines line by line.",
        customSynopsis = "sluice validate HOST [OPTIONS]",
        footer = "Example: sluice validate 10.0.0.7 --size 1GiB --expect 80GB/s",
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class ValidateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "HOST", description = "where 'sluice server' runs")
    private String host = "";

    @Option(
            names = "--expect",
            paramLabel = "<rate>",
            converter = Rate.class,
            description = "to reach, as 40GB/s (0.8 of the NICs' speed)")
    private @Nullable Double expected;

    @Option(names = "--max-cpu", paramLabel = "<s/GB>", description = "most CPU of agents and I/O threads (1)")
    private double cpuSecondsPerGb = Limits.USUAL_CPU_SECONDS_PER_GB;

    @Mixin
    private JobOptions job = new JobOptions();

    @Override
    public Integer call() {
        RunPlan wanted = job.plan(true);
        NodeConfig config = job.configuration(wanted).build();
        Limits limits = new Limits(expected == null ? 0 : expected, cpuSecondsPerGb);
        Report report =
                job.job(Role.CLIENT, config, wanted, Steps.NONE, 1, limits).execute(host, Values.text(Role.CLIENT));
        job.print(report, VerdictText.of(report.verdicts()));
        int fast = job.fastEnough(report);
        return report.verdicts().stream().allMatch(Verdict::pass) ? fast : ExitCode.INVALID;
    }
}
