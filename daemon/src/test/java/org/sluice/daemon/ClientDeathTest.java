package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that are killed at random moments. {@code -Dsluice.rounds=200} makes it a long run. */
final class ClientDeathTest {
    private static final int ROUNDS = Integer.getInteger("sluice.rounds", 15);
    private static final long SEED = Long.getLong("sluice.seed", 15);

    @TempDir
    private Path directory;

    private static ProcessBuilder traffic(DaemonPair pair, Path program, int seconds) {
        return new ProcessBuilder(
                program.toString(),
                pair.a().socket().toString(),
                pair.b().socket().toString(),
                pair.addressOfB(),
                String.valueOf(seconds),
                "300000");
    }

    private static long open() throws Exception {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    @Test
    @DisplayName(
            "what a killed client held is free within a second, and the transfers of another go on, every byte compared")
    void killed() throws Exception {
        Random random = new Random(SEED);
        Path program = CClient.plain("traffic");
        try (DaemonPair pair = DaemonPair.in(directory)) {
            Process steady =
                    traffic(pair, program, 3600).redirectErrorStream(true).start();
            try (BufferedReader said =
                    new BufferedReader(new InputStreamReader(steady.getInputStream(), StandardCharsets.UTF_8))) {
                assertThat(said.readLine()).isEqualTo("started");
                long before = open();
                long slowest = 0;
                for (int round = 0; round < ROUNDS; round++) {
                    Process victim = traffic(pair, program, 3600)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
                    TimeUnit.MICROSECONDS.sleep(random.nextInt(100_000)); // at any moment of its life
                    victim.destroyForcibly();
                    victim.waitFor();
                    long killed = System.nanoTime();
                    Gone.until(
                            () -> pair.a().clients().size() == 1
                                    && pair.b().clients().size() == 1
                                    && pair.a().buried()
                                    && pair.b().buried(),
                            "the end of a killed client, round " + round);
                    slowest = Math.max(slowest, System.nanoTime() - killed);
                    assertThat(steady.isAlive()).as("the steady client").isTrue();
                }
                System.out.println("killed clients: " + ROUNDS + " rounds, slowest end "
                        + TimeUnit.NANOSECONDS.toMillis(slowest) + " ms");
                assertThat(pair.a().clients().getFirst().counts().failed()).isZero();
                assertThat(pair.a().clients().getFirst().counts().done()).isPositive();
                assertThat(open()).as("open descriptors").isLessThanOrEqualTo(before + 4);
            } finally {
                steady.destroyForcibly();
            }
        }
    }

    @Test
    @DisplayName("a client may come back under the same keys, and another may not have them")
    void keysStay() throws Exception {
        CClient.Result result;
        try (DaemonPair pair = DaemonPair.in(directory)) {
            result = CClient.run(
                    List.of(
                            CClient.sanitized("keys").toString(),
                            pair.a().socket().toString()),
                    60);
            Gone.clients(pair.a());
        }
        assertThat(result.output()).endsWith("ok\n");
        assertThat(result.status()).isZero();
    }
}
