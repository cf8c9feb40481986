package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.testkit.FreePorts;

/** Daemons that are killed. {@code -Dsluice.daemonRounds=50} makes it a long run. */
final class DaemonDeathTest {
    private static final int ROUNDS = Integer.getInteger("sluice.daemonRounds", 2);

    @TempDir
    private Path directory;

    /** What the client says next that begins so. @return the time behind it, of {@link System#nanoTime} */
    private static long said(BufferedReader from, String what) throws Exception {
        while (true) {
            String line = from.readLine();
            assertThat(line).as("the client, while it is to say '" + what + "'").isNotNull();
            if (line.startsWith(what + " ")) {
                return Long.parseLong(line.substring(what.length() + 1));
            }
            assertThat(line).as("what the client says").matches("(lost|back) \\d+");
        }
    }

    @Test
    @Timeout(value = 30 + 30L * 50, unit = TimeUnit.SECONDS)
    @DisplayName(
            "clients of a killed daemon are told, come back to the next one and go on under the same keys, every byte compared")
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
        long slowestTold = 0;
        long slowestBack = 0;
        try (BufferedReader said =
                new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(said.readLine()).isEqualTo("started");
            for (int round = 0; round < ROUNDS; round++) {
                int which = round % 2;
                TimeUnit.MICROSECONDS.sleep(random.nextInt(200_000)); // at any moment
                long killed = System.nanoTime();
                daemons[which].kill();
                slowestTold = Math.max(slowestTold, said(said, "lost") - killed);
                daemons[which] = DaemonProcess.start(which == 0 ? a : b, port + which);
                long ready = System.nanoTime();
                slowestBack = Math.max(slowestBack, said(said, "back") - ready);
            }
            System.out.println("killed daemons: " + ROUNDS + " rounds, a client told after "
                    + TimeUnit.NANOSECONDS.toMillis(slowestTold) + " ms at the most, and its next round compared "
                    + TimeUnit.NANOSECONDS.toMillis(slowestBack) + " ms after the next daemon was ready");
        } finally {
            client.destroyForcibly();
            daemons[0].close();
            daemons[1].close();
        }
    }
}
