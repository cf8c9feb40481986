package org.sluice.cli.daemon;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Version;
import org.sluice.daemon.StatusQuery;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sluice daemon status}: who uses the daemon of this host, as JSON. */
@Command(
        name = "status",
        header = "Says who uses the daemon of this host, as JSON.",
        customSynopsis = "sluice daemon status [--socket PATH]",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class StatusCommand implements Callable<Integer> {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--socket", paramLabel = "<path>", description = "where the daemon is (SLUICE_SOCKET)")
    private @Nullable Path socket;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        out.println(StatusQuery.ask(socket == null ? SocketPath.usual(System.getenv()) : socket, LIMIT));
        out.flush();
        return ExitCode.OK;
    }
}
