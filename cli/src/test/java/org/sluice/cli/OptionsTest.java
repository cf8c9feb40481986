package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.cli.common.Environment;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The options, as the README and the helps tell them. */
class OptionsTest {
    /** Of the smallest usual terminal. */
    private static final int SCREEN_LINES = 24;

    static Stream<String> commands() {
        return Main.commandLine().getSubcommands().keySet().stream();
    }

    private static CommandLine command(String name) {
        return Main.commandLine().getSubcommands().get(name);
    }

    private static String written(OptionSpec option) {
        return option.negatable() ? "--[no-]" + option.longestName().substring(2) : option.longestName();
    }

    @Test
    void everyOptionAndVariableIsInTheReadme() throws IOException {
        String readme = Files.readString(Path.of("..", "README.md"));
        for (OptionSpec option : command("client").getCommandSpec().options()) {
            assertThat(readme).contains("`" + written(option));
        }
        Environment.VARIABLES.forEach((option, variable) -> assertThat(
                        readme.lines().filter(l -> l.startsWith("| `" + option)).findFirst())
                .hasValueSatisfying(row -> assertThat(row).contains("`" + variable + "`")));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyHelpFitsAScreenAndHasAnExample(String name) {
        String help = command(name).getUsageMessage();
        assertThat(help).contains("Example: sluice " + name);
        assertThat(help.lines()).hasSizeLessThanOrEqualTo(SCREEN_LINES);
        assertThat(help.lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(Main.HELP_WIDTH));
    }

    @Test
    void theHelpOfAllFitsAScreenWithALineForEachCommand() {
        String help = Main.commandLine().getUsageMessage();
        assertThat(help.lines()).hasSizeLessThanOrEqualTo(SCREEN_LINES);
        assertThat(commands())
                .allSatisfy(name -> assertThat(help.lines())
                        .anyMatch(l -> l.startsWith("  " + name + " ")
                                && l.endsWith(command(name)
                                        .getCommandSpec()
                                        .usageMessage()
                                        .header()[0])));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void sluiceHelpListsEveryOptionWithItsVariable(String name) {
        CommandLine sluice = Main.commandLine();
        StringWriter out = new StringWriter();
        sluice.setOut(new PrintWriter(out));
        assertThat(sluice.execute("help", name)).isZero();
        String full = out.toString();
        for (OptionSpec option : command(name).getCommandSpec().options()) {
            assertThat(full.lines())
                    .as(written(option))
                    .anyMatch(l -> l.matches(".* \\Q" + written(option) + "\\E([= ].*|$)"));
            Environment.variable(option).ifPresent(v -> assertThat(full).contains("[" + v + "]"));
        }
        assertThat(full).contains("Example: sluice " + name);
        assertThat(full.lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(Main.HELP_WIDTH));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void aHelpThatLeavesOptionsOutSaysWhereTheyAre(String name) {
        CommandLine command = command(name);
        boolean leavesOut = command.getCommandSpec().options().stream().anyMatch(OptionSpec::hidden);
        assertThat(command.getUsageMessage().contains("more options: sluice help " + name))
                .isEqualTo(leavesOut);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--instrument off", "--instrument=on", "--nics eth1,eth2", "--no-verify", "--size 1GiB"})
    void valuesMayBeWordsOfTheirOwn(String option) {
        String[] arguments = ("client HOST " + option).split(" ", -1);
        CommandLine.ParseResult client = Main.commandLine().parseArgs(arguments).subcommand();
        assertThat(client.matchedOptions()).hasSize(1);
    }
}
