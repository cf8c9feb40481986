package org.sluice.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.sluice.LinkException;
import org.sluice.NodeConfig;
import org.sluice.SluiceException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** {@code sluice loopback}: the main job on one machine, with a server process that this command starts. */
@Command(
        name = "loopback",
        header = "Runs a server and a client as two processes over loopback, and compares every byte.",
        customSynopsis = "sluice loopback [OPTIONS]",
        footer = "Example: sluice loopback --gpus 2 --size 256MiB --duration 3s",
        defaultValueProvider = Settings.FromEnvironment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class LoopbackCommand implements Callable<Integer> {
    static final String SELF = "127.0.0.1";

    /** Ports to look for where no number of GPUs is given: as many as a node of the field has. */
    private static final int USUAL_GPUS = 8;

    /** The tcp transport's names for 127.0.0.1 to 127.0.0.4. */
    static final List<String> RAILS = List.of("lo1", "lo2", "lo3", "lo4");

    private static final Set<String> OWN_OPTIONS =
            Set.of("--port", "--wait", "--steps", "--metrics", "--report", "--csv");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private Settings settings = new Settings();

    @Mixin
    private Watching watching = new Watching();

    @Override
    public Integer call() throws InterruptedException {
        RunPlan wanted = settings.plan(true);
        int port =
                settings.port().orElseGet(() -> FreePorts.inARow(settings.gpus().orElse(USUAL_GPUS)));
        NodeConfig.Builder builder = watching.apply(settings.node(wanted)).portBase(port);
        if (usesDefaultRails()) {
            builder.nics(RAILS);
        }
        NodeConfig config = builder.build();
        try (ServerProcess server = ServerProcess.start(serverArguments(config))) {
            Thread self = Thread.currentThread();
            server.whenFailed(self::interrupt);
            Report report;
            try {
                report = new NodeJob(
                                Role.CLIENT,
                                settings,
                                config,
                                wanted,
                                settings.steps(Steps.NONE),
                                2,
                                watching.observer(config))
                        .execute(SELF, "loopback");
            } catch (SluiceException e) {
                Thread.interrupted(); // by the server's end: what it said about it is the message
                int status = server.await();
                if (ServerProcess.explained(status)) {
                    return status;
                }
                throw e;
            }
            int status = server.await();
            if (status != ExitCode.OK && status != ExitCode.MISMATCH) {
                throw new LinkException("the server process ended with status " + status + " after the run");
            }
            return RunResult.print(
                    report,
                    settings.json(),
                    spec.commandLine().getOut(),
                    spec.commandLine().getErr());
        }
    }

    /** Loopback rails, where tcp is the transport and no NICs are named: the machine's own NICs are not under test. */
    private boolean usesDefaultRails() {
        return settings.nics().isEmpty() && settings.transport().equals("tcp");
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
            arguments.add("--nics=" + String.join(",", RAILS));
        }
        arguments.add("--port=" + config.portBase());
        arguments.add("--wait=" + config.deadline().toMillis() + "ms");
        arguments.add("--steps=none");
        return arguments;
    }
}
