package org.sluice.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Version;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code sluice help COMMAND}: all of its options with their environment variables, of which {@code --help} shows a screen. */
@Command(
        name = "help",
        header = "Shows every option of a command, and its environment variable.",
        customSynopsis = "sluice help [COMMAND]",
        footer = "Example: sluice help client",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class HelpCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "COMMAND", arity = "0..1", description = "of which command (sluice itself)")
    private @Nullable String command;

    @Override
    public Integer call() {
        CommandLine sluice = spec.parent().commandLine();
        PrintWriter out = spec.commandLine().getOut();
        String asked = command;
        if (asked == null) {
            sluice.usage(out);
        } else {
            CommandLine about = Optional.ofNullable(sluice.getSubcommands().get(asked))
                    .orElseThrow(() -> new UnmatchedArgumentException(sluice, List.of(asked)));
            unabridged(about.getCommandSpec()).usage(out);
        }
        out.flush();
        return ExitCode.OK;
    }

    /** The same command with nothing hidden; it is there to be printed. */
    static CommandLine unabridged(CommandSpec brief) {
        UsageMessageSpec words = brief.usageMessage();
        CommandSpec full = CommandSpec.create().name(brief.name());
        full.usageMessage()
                .header(words.header())
                .customSynopsis(words.customSynopsis())
                .footer(words.footer())
                .width(words.width())
                .longOptionsMaxWidth(words.longOptionsMaxWidth())
                .sortOptions(false);
        brief.positionalParameters().forEach(full::addPositional);
        brief.options().forEach(o -> full.addOption(unhidden(o)));
        return new CommandLine(full);
    }

    private static OptionSpec unhidden(OptionSpec option) {
        Stream<String> variable = Environment.variable(option).map(v -> "[" + v + "]").stream();
        return OptionSpec.builder(option)
                .hidden(false)
                .description(
                        Stream.concat(Stream.of(option.description()), variable).toArray(String[]::new))
                .build();
    }
}
