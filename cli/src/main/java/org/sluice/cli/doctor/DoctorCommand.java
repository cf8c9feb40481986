package org.sluice.cli.doctor;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.NicNames;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import org.sluice.cli.plan.JobPlan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sluice doctor}: what makes the job slow or impossible here, each with what to do. */
@Command(
        name = "doctor",
        header = "Finds what makes the job slow or impossible here; says what to do.",
        customSynopsis = "sluice doctor [OPTIONS]",
        footer = {
            "Example: sluice doctor --nics eth1,eth2 --peer 10.1.0.2,10.2.0.2",
            "Exit status: 0 usable, 3 not usable."
        },
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--nics",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "NICs of the job (every usable one)")
    private List<String> nics = List.of();

    @Option(names = "--transport", paramLabel = "<name>", description = "tcp or nccl-net (tcp)")
    private @Nullable String transport;

    @Option(names = "--plugin", paramLabel = "<path>", description = "nccl-net: the plugin's library")
    private @Nullable Path plugin;

    @Option(names = "--profile", paramLabel = "<name>", description = "the kind of machine: a3-high or a3-mega")
    private @Nullable String profile;

    @Option(names = "--backend", paramLabel = "<name>", description = "cuda, host or auto (auto)")
    private String backend = "auto";

    @Option(names = "--gpus", paramLabel = "<n>", description = "GPUs of the job (8)")
    private int gpus = 8;

    @Option(names = "--channels", paramLabel = "<n>", description = "channels per GPU (8)")
    private int channels = 8;

    @Option(names = "--sockets", paramLabel = "<n>", description = "connections per channel (1)")
    private int sockets = 1;

    @Option(names = "--port", paramLabel = "<base>", description = "bootstrap port of GPU 0 (20000)")
    private int port = 20000;

    @Option(
            names = "--size",
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "bytes per GPU, which host GPUs take of the machine's memory (64MiB)")
    private long size = 64L << 20;

    @Option(names = "--tx-bindings", paramLabel = "<cpus>", description = "CPUs of sending threads: eth1:8-21;eth2:...")
    private String txBindings = "";

    @Option(names = "--rx-bindings", paramLabel = "<cpus>", description = "CPUs of receiving threads, likewise")
    private String rxBindings = "";

    @Option(
            names = "--peer",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "the peer to reach: its address on each rail, or one")
    private List<String> peers = List.of();

    @Option(names = "--json", description = "print the findings as one JSON document")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Diagnosis diagnosis = Diagnosis.of(new JobPlan(
                NicNames.of(nics).here(),
                transport != null ? transport : plugin != null ? "nccl-net" : "tcp",
                plugin,
                profile,
                backend,
                gpus,
                channels,
                sockets,
                port,
                size,
                txBindings,
                rxBindings,
                peers));
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? Json.of(diagnosis) : DiagnosisText.of(diagnosis));
        out.flush();
        return diagnosis.usable() ? ExitCode.OK : ExitCode.CONFIGURATION;
    }
}
