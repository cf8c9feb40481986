package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that are killed at random moments. {@code -Dsluice.rounds=200} makes it a long run. */
final class ClientDeathTest {
    private static final int ROUNDS = Integer.getInteger("sluice.rounds", 15);
    private static final int STEADY = Integer.getInteger("sluice.steady", 7);
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

    /** Bytes of clients that this process has mapped or open: areas, memory that the daemon made or maps. */
    private static long mapped() throws Exception {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(l -> l.contains("/memfd:"))
                    .map(l -> l.substring(0, l.indexOf(' ')).split("-"))
                    .mapToLong(r -> Long.parseLong(r[1], 16) - Long.parseLong(r[0], 16))
                    .sum();
        }
    }

    @Test
    @DisplayName(
            "what a killed client held is free within a second, and the transfers of others go on, every byte compared")
    void killed() throws Exception {
        Random random = new Random(SEED);
        Path program = CClient.plain("traffic");
        List<Process> steady = new ArrayList<>();
        try (DaemonPair pair = DaemonPair.in(directory)) {
            for (int i = 0; i < STEADY; i++) {
                Process one =
                        traffic(pair, program, 3600).redirectErrorStream(true).start();
                steady.add(one);
                assertThat(one.inputReader().readLine()).isEqualTo("started");
            }
            long before = open();
            long mappedBefore = mapped();
            long most = mappedBefore;
            long mostOpen = before;
            long slowest = 0;
            for (int round = 0; round < ROUNDS; round++) {
                Process victim = traffic(pair, program, 3600)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                TimeUnit.MICROSECONDS.sleep(random.nextInt(100_000)); // at any moment of its life
                most = Math.max(most, mapped());
                mostOpen = Math.max(mostOpen, open());
                victim.destroyForcibly();
                victim.waitFor();
                long killed = System.nanoTime();
                Gone.until(
                        () -> pair.a().clients().size() == STEADY
                                && pair.b().clients().size() == STEADY
                                && pair.a().buried()
                                && pair.b().buried(),
                        "the end of a killed client, round " + round);
                slowest = Math.max(slowest, System.nanoTime() - killed);
                assertThat(mapped())
                        .as("bytes of clients mapped, round " + round)
                        .isEqualTo(mappedBefore);
                assertThat(steady).as("the steady clients").allMatch(Process::isAlive);
            }
            assertThat(mostOpen).as("the victims were there").isGreaterThan(before);
            System.out.println("killed clients: " + ROUNDS + " rounds beside " + STEADY + ", slowest end "
                    + TimeUnit.NANOSECONDS.toMillis(slowest) + " ms; mapped " + mappedBefore
                    + " bytes before and after, "
                    + most + " with the victim; descriptors " + before + " before, " + mostOpen + " with it, " + open()
                    + " after");
            assertThat(pair.a().clients())
                    .allMatch(c -> c.counts().failed() == 0 && c.counts().done() > 0);
            assertThat(open()).as("open descriptors").isLessThanOrEqualTo(before + 4);
        } finally {
            steady.forEach(Process::destroyForcibly);
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
