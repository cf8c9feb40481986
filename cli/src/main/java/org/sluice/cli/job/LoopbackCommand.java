package org.sluice.cli.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.sluice.BootstrapFormat;
import org.sluice.LinkException;
import org.sluice.NodeConfig;
import org.sluice.SluiceException;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Failure;
import org.sluice.cli.common.LoopbackRails;
import org.sluice.cli.common.ServerProcess;
import org.sluice.cli.common.Version;
import org.sluice.cli.run.Report;
import org.sluice.cli.run.Role;
import org.sluice.cli.run.RunPlan;
import org.sluice.cli.run.Steps;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** {@code sluice loopback}: the main job on one machine, with a server process that this command starts. */
@Command(
        name = "loopback",
        header = "A server and a client process on this machine; compares every byte.",
        customSynopsis = "sluice loopback [OPTIONS]",
        footer = "Example: sluice loopback --gpus 2 --size 256MiB --duration 3s",
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class LoopbackCommand implements Callable<Integer> {
    private static final Set<String> OWN_OPTIONS =
            Set.of("--port", "--wait", "--steps", "--metrics", "--report", "--csv", "--min-rate");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private JobOptions job = new JobOptions();

    @Override
    public Integer call() throws InterruptedException {
        RunPlan wanted = job.plan(!onlyTheServerCompares());
        NodeConfig.Builder builder =
                job.configuration(wanted).portBase(job.node().portOrFree());
        if (usesDefaultRails()) {
            builder.nics(LoopbackRails.NICS);
        }
        NodeConfig config = builder.build();
        try (ServerProcess server = ServerProcess.start(serverArguments(config))) {
            Thread self = Thread.currentThread();
            server.whenFailed(self::interrupt);
            Report report;
            try {
                report = job.job(Role.CLIENT, config, wanted, Steps.NONE, 2, null)
                        .execute(LoopbackRails.HOST, "loopback");
            } catch (SluiceException e) {
                Thread.interrupted(); // by the server's end: what it said about it is the message
                int status = server.await();
                boolean ownReason = Failure.isOfThisSide(e) && Failure.exitCode(e) != status;
                if (ownReason || !ServerProcess.explained(status)) {
                    throw e;
                }
                job.printRaw(server.result());
                return status;
            }
            int status = server.await();
            if (status != ExitCode.OK && status != ExitCode.MISMATCH) {
                throw new LinkException("the server process ended with status " + status + " after the run");
            }
            return Math.max(status, job.print(report));
        }
    }

    /** With UCCL's bootstrap the server alone compares: it knows what a client sends, and nobody can tell this side. */
    private boolean onlyTheServerCompares() {
        return job.node().bootstrap() == BootstrapFormat.UCCL;
    }

    /** Loopback rails, where tcp is the transport and no NICs are named: the machine's own NICs are not under test. */
    private boolean usesDefaultRails() {
        return job.node().nics().isEmpty() && job.node().network().equals("tcp");
    }

    /** This command's options but for those that the client tells the server, or that say how to print. */
    private List<String> serverArguments(NodeConfig config) {
        List<String> arguments = new ArrayList<>(List.of("server"));
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            boolean passedOn = option.arity().max() > 0 && !OWN_OPTIONS.contains(option.longestName());
            if (passedOn) {
                option.originalStringValues().forEach(v -> arguments.add(option.longestName() + "=" + v));
            }
        }
        if (usesDefaultRails()) {
            arguments.add("--nics=" + String.join(",", LoopbackRails.NICS));
        }
        arguments.add("--port=" + config.network().portBase());
        arguments.add("--wait=" + config.timeouts().deadline().toMillis() + "ms");
        arguments.add("--json"); // for its words where it fails
        if (onlyTheServerCompares() && !spec.commandLine().getParseResult().hasMatchedOption("--verify")) {
            arguments.add("--verify");
        }
        arguments.add("--steps=none");
        arguments.add("--no-progress"); // its stderr is this one's
        return arguments;
    }
}
