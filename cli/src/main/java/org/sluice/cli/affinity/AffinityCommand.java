package org.sluice.cli.affinity;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.sluice.NodeConfig;
import org.sluice.Striping;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.Version;
import org.sluice.cli.options.NodeOptions;
import org.sluice.linux.CpuAffinity;
import org.sluice.linux.NumaNode;
import org.sluice.linux.OsThread;
import org.sluice.linux.Sysfs;
import org.sluice.linux.ThreadPlacement;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sluice affinity}: the seed's checkpoint before thread affinity. Starts the configured transport between two nodes in this
 * process, moves data over every channel, and reads from the kernel where each thread may run.
 */
@Command(
        name = "affinity",
        header = "Starts the transport and shows which CPUs each thread really has.",
        customSynopsis = "sluice affinity [--tx-bindings CPUS] [--rx-bindings CPUS] [OPTIONS]",
        footer = {
            "Example: sluice affinity --gpus 1 --nics eth1 --tx-bindings eth1:8-21",
            "Exit status: 0 all as asked and on the right NUMA node, 3 not."
        },
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class AffinityCommand implements Callable<Integer> {
    /** The kernel's limit on a thread's name, TASK_COMM_LEN without the zero. */
    private static final int COMM_LENGTH = 15;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private NodeOptions node = new NodeOptions();

    @Option(names = "--json", description = "print it as one JSON document")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        NodeConfig config = node.builder()
                .portBase(node.portOrFree())
                .striping(Striping.ROUND_ROBIN) // so that no channel is left out
                .build();
        Set<Integer> before = CpuAffinity.threads().stream().map(OsThread::tid).collect(Collectors.toUnmodifiableSet());
        AffinityReport report;
        try (LinkedPair pair = LinkedPair.open(config)) {
            pair.turn();
            List<OsThread> now = CpuAffinity.threads();
            report = AffinityReport.of(new AffinityReport.Evidence(
                    CpuAffinity.process(),
                    NumaNode.list(Sysfs.SYSTEM),
                    before,
                    javaNames(),
                    now,
                    ThreadPlacement.asked()));
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? Json.of(report) : AffinityTable.of(report));
        out.flush();
        return report.wrong() == 0 ? ExitCode.OK : ExitCode.CONFIGURATION;
    }

    private static Set<String> javaNames() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .map(n -> n.substring(0, Math.min(n.length(), COMM_LENGTH)))
                .collect(Collectors.toUnmodifiableSet());
    }
}
