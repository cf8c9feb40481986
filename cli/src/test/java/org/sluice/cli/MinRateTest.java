package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.sluice.testkit.Namespaces.Host.A;
import static org.sluice.testkit.Namespaces.Host.B;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.testkit.Namespaces;

/** A run that falls below {@code --min-rate} in its middle says so while it runs: a line and a metric. RateGuardTest has the seconds. */
class MinRateTest {
    private static final int METRICS = 9400;

    @Test
    @Timeout(value = 50, unit = TimeUnit.SECONDS)
    void aRunThatFallsInItsMiddleIsTold() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        try (Namespaces hosts = Namespaces.up("minrate", 1, "400mbit")) {
            Process server = hosts.process(
                            B,
                            SluiceProcess.command("server", "--gpus=1", "--nics=eth1")
                                    .toArray(String[]::new))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            Process client = hosts.process(
                            A,
                            SluiceProcess.command(
                                            "client",
                                            B.address(1),
                                            "--gpus=1",
                                            "--nics=eth1",
                                            "--channels=2",
                                            "--size=4MiB",
                                            "--no-verify",
                                            "--no-progress",
                                            "--duration=30s",
                                            "--min-rate=20MB/s",
                                            "--metrics=" + METRICS)
                                    .toArray(String[]::new))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (BufferedReader lines = client.errorReader(StandardCharsets.UTF_8)) {
                // the run goes on at twice the rate for as long as it takes to look
                waitForMetric(hosts, "sluice_path_nics{transport=\"tcp\",memory=\"host\"} 1");
                assertThat(metrics(hosts)).contains("sluice_below_min_rate 0");
                hosts.rate(1, "40mbit");
                assertThat(line(lines, "BELOW --min-rate")).contains("0.020 are asked for");
                assertThat(metrics(hosts)).contains("sluice_below_min_rate 1");
                hosts.rate(1, "400mbit");
                line(lines, "back above --min-rate");
            } finally {
                client.destroyForcibly();
                server.destroyForcibly();
            }
        }
    }

    private static String line(BufferedReader lines, String with) throws IOException {
        String line = lines.readLine();
        while (line != null && !line.contains(with)) {
            line = lines.readLine();
        }
        assertThat(line).as("a line with " + with).isNotNull();
        return String.valueOf(line);
    }

    private static void waitForMetric(Namespaces hosts, String metric) throws Exception {
        while (!metrics(hosts).contains(metric)) {
            Thread.sleep(200); // another process tells nobody that it serves; the test's own limit ends this
        }
    }

    private static String metrics(Namespaces hosts) throws Exception {
        Process p = hosts.process(
                        A,
                        "bash",
                        "-c",
                        "exec 3<>/dev/tcp/127.0.0.1/" + METRICS
                                + " && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3")
                .redirectErrorStream(true)
                .start();
        String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        p.waitFor();
        return text;
    }
}
