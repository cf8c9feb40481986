package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.OptionSpec;

/** The README's table of options is the code's. */
class SettingsTest {
    @Test
    void everyOptionAndVariableIsInTheReadme() throws IOException {
        String readme = Files.readString(Path.of("..", "README.md"));
        for (OptionSpec option : Main.commandLine()
                .getSubcommands()
                .get("client")
                .getCommandSpec()
                .options()) {
            String shown = option.negatable() ? "--[no-]" + option.longestName().substring(2) : option.longestName();
            assertThat(readme).contains("`" + shown);
        }
        Settings.ENVIRONMENT.forEach((option, variable) -> assertThat(
                        readme.lines().filter(l -> l.startsWith("| `" + option)).findFirst())
                .hasValueSatisfying(row -> assertThat(row).contains("`" + variable + "`")));
    }

    @Test
    void everyHelpHasAnExampleAndNoLineTooLong() {
        Main.commandLine().getSubcommands().values().forEach(c -> {
            String help = c.getUsageMessage();
            assertThat(help).contains("Example: sluice ");
            assertThat(help.lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(80));
            assertThat(help.lines().count()).isLessThanOrEqualTo(52);
        });
    }
}
