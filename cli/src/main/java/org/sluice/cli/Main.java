package org.sluice.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.Security;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.sluice.cli.affinity.AffinityCommand;
import org.sluice.cli.bench.BenchCommand;
import org.sluice.cli.common.Ending;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Failure;
import org.sluice.cli.common.Logging;
import org.sluice.cli.common.Output;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import org.sluice.cli.daemon.DaemonCommand;
import org.sluice.cli.doctor.DoctorCommand;
import org.sluice.cli.job.ClientCommand;
import org.sluice.cli.job.LoopbackCommand;
import org.sluice.cli.job.ServerCommand;
import org.sluice.cli.job.ValidateCommand;
import org.sluice.cli.matrix.MatrixCommand;
import org.sluice.cli.soak.SoakCommand;
import org.sluice.cli.topology.TopoCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code sluice}: the commands, and how what goes wrong in them is said. */
@Command(
        name = "sluice",
        description = "Moves GPU memory between machines over every NIC at once, from one process per node.",
        subcommands = {
            LoopbackCommand.class,
            ServerCommand.class,
            ClientCommand.class,
            BenchCommand.class,
            ValidateCommand.class,
            MatrixCommand.class,
            DoctorCommand.class,
            TopoCommand.class,
            AffinityCommand.class,
            SoakCommand.class,
            DaemonCommand.class,
            HelpCommand.class
        },
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "Example: sluice loopback",
            "Exit status: 0 done, 1 internal error, 2 usage, 3 configuration, 4 link or peer,",
            "5 wrong bytes or lengths, 6 not valid, 7 result not written, 130 interrupted."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class Main implements Runnable {
    /** Of the smallest usual terminal, whose 24 lines every {@code --help} fits too. */
    static final int HELP_WIDTH = 80;

    private static final String JSON = "--json";

    @Spec
    private CommandSpec spec;

    private Main() {
        spec = CommandSpec.create();
    }

    public static void main(String[] args) {
        Logging.configure();
        // a server's name may come into the DNS while its client waits for it: Java would remember for 10 s that it was
        // not there
        Security.setProperty("networkaddress.cache.negative.ttl", "1");
        Output output = Output.install();
        Ending.bound();
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int status;
        try {
            status = commandLine().execute(args);
        } catch (Throwable e) { // picocli hands on only exceptions: without threads or memory it ends here
            PrintWriter document =
                    List.of(args).contains(JSON) ? new PrintWriter(System.out, true, StandardCharsets.UTF_8) : null;
            status = Failure.report(e, err, document);
        }
        Ending.exit(output.conclude(status, err));
    }

    /** The commands with their options, ready to be executed. */
    public static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        line.setUsageHelpWidth(HELP_WIDTH);
        line.setUsageHelpLongOptionsMaxWidth(30);
        line.setHelpFactory(BriefHelp::new);
        line.registerConverter(Integer.class, Values::wholeNumber);
        line.registerConverter(Path.class, Values::path);
        line.setExecutionExceptionHandler((e, command, parsed) -> Failure.report(
                e, command.getErr(), command.getParseResult().hasMatchedOption(JSON) ? command.getOut() : null));
        line.setParameterExceptionHandler(Main::wrongArguments);
        return line;
    }

    /** {@code sluice} alone. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is needed");
    }

    private static int wrongArguments(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        StringBuilder line = new StringBuilder(what(e));
        Environment.sourceOf(e, arguments)
                .ifPresent(v -> line.append(" (from the environment variable ")
                        .append(v)
                        .append(")"));
        Optional<String> meant = e instanceof UnmatchedArgumentException u
                ? Typo.nearest(u.getUnmatched().getFirst(), known(command.getCommandSpec()))
                : Optional.empty();
        if (meant.isPresent()) {
            line.append("; did you mean ").append(meant.get()).append("?");
        } else {
            line.append("; see ")
                    .append(command.getCommandSpec().qualifiedName(" "))
                    .append(" --help");
        }
        err.println("sluice: " + line);
        err.flush();
        if (List.of(arguments).contains(JSON)) {
            Failure.document(ExitCode.USAGE, line.toString(), command.getOut());
        }
        return ExitCode.USAGE;
    }

    /** What is wrong; of several words that fit nowhere the first, since the others may be its values. */
    private static String what(ParameterException e) {
        if (!(e instanceof UnmatchedArgumentException u)) {
            return Failure.oneLine(e.getMessage());
        }
        String word = u.getUnmatched().getFirst();
        if (word.startsWith("-")) {
            return "there is no option " + word.split("=", 2)[0];
        }
        return e.getCommandLine().getSubcommands().isEmpty()
                ? "'" + word + "' is neither an option nor a value of one"
                : "there is no command " + word;
    }

    private static List<String> known(CommandSpec command) {
        return Stream.concat(command.subcommands().keySet().stream(), command.optionsMap().keySet().stream())
                .toList();
    }
}
