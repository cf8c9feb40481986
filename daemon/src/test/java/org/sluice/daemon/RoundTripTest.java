package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RoundTripTest {
    @TempDir
    private Path directory;

    @Test
    @DisplayName("C clients of two daemons write, read, list, notify and are refused as the documentation says")
    void c() throws Exception {
        Path program = CClient.sanitized("roundtrip");
        try (DaemonPair pair = DaemonPair.in(directory)) {
            CClient.Result result = CClient.run(
                    List.of(
                            program.toString(),
                            pair.a().socket().toString(),
                            pair.b().socket().toString(),
                            pair.addressOfB()),
                    120);
            assertThat(result.output()).endsWith("ok\n");
            assertThat(result.status()).isZero();
            Gone.clients(pair.a());
            Gone.clients(pair.b());
        }
    }

    @Test
    @DisplayName("a bell that rings late wakes a C client once")
    void lateBell() throws Exception {
        Path program = CClient.sanitized("late_bell");
        try (DaemonPair pair = DaemonPair.in(directory)) {
            CClient.Result result =
                    CClient.run(List.of(program.toString(), pair.a().socket().toString()), 60);
            assertThat(result.output()).isEqualTo("ok\n");
            assertThat(result.status()).isZero();
        }
    }
}
