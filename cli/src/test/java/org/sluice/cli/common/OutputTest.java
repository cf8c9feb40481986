package org.sluice.cli.common;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** A result that is not where it should be makes a command fail, and one that failed already keeps its status. */
class OutputTest {
    private static final class Full extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            throw new IOException("No space left");
        }
    }

    private final StringWriter said = new StringWriter();

    private int conclude(OutputStream target, int status) {
        Output output = new Output(target);
        PrintStream stream = new PrintStream(output, true, UTF_8);
        stream.print("result");
        return output.conclude(status, new PrintWriter(said));
    }

    @Test
    void unwritten() {
        assertThat(conclude(new Full(), ExitCode.OK)).isEqualTo(ExitCode.UNWRITTEN);
        assertThat(said.toString()).contains("No space left");
        assertThat(conclude(new Full(), ExitCode.LINK)).isEqualTo(ExitCode.LINK);
    }

    @Test
    void written() {
        assertThat(conclude(OutputStream.nullOutputStream(), ExitCode.OK)).isZero();
        assertThat(said.toString()).isEmpty();
    }
}
