package org.sluice.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.sluice.cli.Main;
import org.sluice.cli.common.ExitCode;
import picocli.CommandLine;

/** A short soak; {@code -Dsoak.duration=10m} makes it a long one. */
class SoakCommandTest {
    private static String soak(String... options) {
        CommandLine line = Main.commandLine();
        StringWriter out = new StringWriter();
        line.setOut(new PrintWriter(out));
        String[] arguments = new String[options.length + 3];
        arguments[0] = "soak";
        arguments[1] = "--duration";
        arguments[2] = System.getProperty("soak.duration", "12s");
        System.arraycopy(options, 0, arguments, 3, options.length);
        assertThat(line.execute(arguments)).as("%s", out).isEqualTo(ExitCode.OK);
        return out.toString();
    }

    @Test
    void survivesResetsStallsAndDamage() {
        assertThat(soak())
                .contains("0 wrong messages")
                .doesNotContain(" 0 messages")
                .doesNotContain("survived 0 reconnects");
    }

    @Test
    void survivesThemEncrypted() {
        assertThat(soak("--encrypt", "--drill", "reset:200"))
                .contains("encrypted")
                .contains("0 wrong messages")
                .doesNotContain("survived 0 reconnects");
    }
}
