package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.SluiceException;
import org.sluice.testkit.FreePorts;

/** Daemons that are killed. {@code -Dsluice.daemonRounds=50} makes it a long run. */
final class DaemonDeathTest {
    private static final int ROUNDS = Integer.getInteger("sluice.daemonRounds", 2);
    private static final Pattern DONE = Pattern.compile("\"done\":(\\d+)");

    @TempDir
    private Path directory;

    private static long done(Path socket) {
        try {
            Matcher m = DONE.matcher(StatusQuery.ask(socket, Duration.ofSeconds(10)));
            return m.find() ? Long.parseLong(m.group(1)) : -1;
        } catch (SluiceException e) {
            return -1;
        }
    }

    @Test
    @DisplayName(
            "clients of a killed daemon come back to the next one and go on under the same keys, every byte compared")
    void killed() throws Exception {
        Random random = new Random(50);
        int port = FreePorts.block(2);
        Path a = directory.resolve("a");
        Path b = directory.resolve("b");
        DaemonProcess[] daemons = {DaemonProcess.start(a, port), DaemonProcess.start(b, port + 1)};
        Process client = new ProcessBuilder(
                        CClient.plain("traffic").toString(),
                        a.toString(),
                        b.toString(),
                        "127.0.0.1:" + (port + 1),
                        "3600",
                        "100000",
                        "survive")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader said =
                new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(said.readLine()).isEqualTo("started");
            for (int round = 0; round < ROUNDS; round++) {
                int which = round % 2;
                TimeUnit.MICROSECONDS.sleep(random.nextInt(200_000)); // at any moment
                daemons[which].kill();
                daemons[which] = DaemonProcess.start(which == 0 ? a : b, port + which);
                long before = which == 0 ? 0 : done(a);
                Gone.until(
                        () -> !client.isAlive() || done(a) > Math.max(0, before),
                        "transfers after the death of daemon " + which + " in round " + round);
                assertThat(client.isAlive())
                        .as("the client after round " + round)
                        .isTrue();
            }
        } finally {
            client.destroyForcibly();
            daemons[0].close();
            daemons[1].close();
        }
    }
}
