package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real runs over loopback, and what can be seen of them. */
@Timeout(240)
class SeenRunTest {
    @TempDir
    Path folder;

    @Test
    void theReportDrawsWhatItsFiguresSay() throws Exception {
        Path report = folder.resolve("report.html");
        Path csv = folder.resolve("figures.csv");
        Processes.Ended run = Processes.run(
                Processes.sluice(
                        "loopback",
                        "--gpus=2",
                        "--channels=4",
                        "--size=8MiB",
                        "--iters=12",
                        "--backend=host",
                        "--json",
                        "--report=" + report,
                        "--csv=" + csv),
                "");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(Files.readString(report)).doesNotContain("src=", "@import", "url(");
        proofIsIn(JsonText.parse(run.out()));

        List<String> lines = Files.readAllLines(csv);
        int columns = lines.getFirst().split(",", -1).length;
        assertThat(lines).allSatisfy(l -> assertThat(l.split(",", -1)).hasSize(columns));
        long channelBytes = lines.stream()
                .filter(l -> l.startsWith("channel,"))
                .mapToLong(l -> Long.parseLong(l.split(",", -1)[6]))
                .sum();
        assertThat(channelBytes).isEqualTo(2L * 12 * (8 << 20));

        DrawnPage page = DrawnPage.open(report.toUri().toString(), folder.resolve("profile"));
        JsonText.Node picture = page.picture();
        assertThat(picture.get("running").isTrue()).isFalse();
        assertThat(picture.get("bytes").number()).isEqualTo(2.0 * 12 * (8 << 20));
        assertThat(picture.get("verdicts").list())
                .anySatisfy(v -> assertThat(v.get("name").text()).isEqualTo("bytes verified"));
        page.checkAgainst(picture);
    }

    /** The document of any run has the kernel's word beside the engine's, and verdicts. */
    private static void proofIsIn(JsonText.Node result) {
        assertThat(result.get("verdicts").list())
                .extracting(v -> v.get("name").text())
                .containsExactly(
                        "kernel agrees on lo", "all NICs used evenly", "no retransmit storm", "bytes verified");
        assertThat(result.get("verdicts").list())
                .filteredOn(v -> v.get("name").text().startsWith("kernel"))
                .allMatch(v -> v.get("pass").isTrue());
        for (JsonText.Node nic : result.get("perNic").list()) {
            assertThat(nic.get("kernelDevice").text()).isEqualTo("lo");
            assertThat(nic.get("kernelTxBytes").number())
                    .isGreaterThan(result.get("bytes").number());
            assertThat(nic.get("overheadTx").number()).isPositive();
            assertThat(nic.get("kernelAgrees").isTrue()).isTrue();
        }
    }

    @Test
    void theLivePageAndPrometheusShowARunThatGoesOn() throws Exception {
        int port = Processes.freePort();
        URI root = URI.create("http://127.0.0.1:" + port + "/");
        Process run = new ProcessBuilder(Processes.sluice(
                        "loopback",
                        "--gpus=2",
                        "--channels=2",
                        "--size=4MiB",
                        "--duration=100s",
                        "--no-verify",
                        "--backend=host",
                        "--metrics=:" + port))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("run.log").toFile())
                .start();
        try {
            JsonText.Node before = awaitBytes(root, run);
            checkMetrics(get(root.resolve("metrics")).body());
            assertThat(get(root.resolve("nothing")).statusCode()).isEqualTo(404);
            DrawnPage page = DrawnPage.open(root.toString(), folder.resolve("profile"));
            JsonText.Node drawn = page.picture();
            page.checkAgainst(drawn);
            JsonText.Node after = JsonText.parse(get(root.resolve("stats.json")).body());
            assertThat(drawn.get("running").isTrue()).isTrue();
            assertThat(drawn.get("bytes").number())
                    .isBetween(before.get("bytes").number(), after.get("bytes").number());
        } finally {
            run.descendants().forEach(ProcessHandle::destroyForcibly);
            run.destroyForcibly().waitFor();
        }
    }

    private static void checkMetrics(String text) throws IOException, InterruptedException {
        assertThat(text).contains("# TYPE sluice_channel_bytes_total counter", "sluice_chunk_latency_seconds_bucket");
        assertThat(text)
                .contains("sluice_kernel_transmit_bytes_total{device=\"lo\"}", "sluice_connection_rtt_seconds{");
        Path promtool = Processes.onPath("promtool");
        if (promtool != null) {
            Processes.Ended lint = Processes.run(List.of(promtool.toString(), "check", "metrics"), text);
            assertThat(lint.status()).as(lint.out() + lint.err()).isZero();
            assertThat(lint.out() + lint.err()).isBlank();
        }
        assumeTrue(promtool != null, "no promtool is installed (Debian: apt install prometheus)");
    }

    /** Asks until the run has moved something; the run's end would end the wait. */
    private JsonText.Node awaitBytes(URI root, Process run) throws IOException, InterruptedException {
        while (run.isAlive()) {
            try {
                JsonText.Node picture =
                        JsonText.parse(get(root.resolve("stats.json")).body());
                if (picture.get("bytes").number() > 0
                        && picture.get("timeline").get("seconds").list().size() > 2) {
                    return picture;
                }
            } catch (ConnectException e) {
                // not there yet
            }
            Thread.sleep(100);
        }
        throw new IOException("the run ended: " + Files.readString(folder.resolve("run.log")));
    }

    private record Answer(int statusCode, String body) {}

    private static Answer get(URI address) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
        try {
            int status = connection.getResponseCode();
            InputStream body = status < 400 ? connection.getInputStream() : InputStream.nullInputStream();
            return new Answer(status, new String(body.readAllBytes(), StandardCharsets.UTF_8));
        } finally {
            connection.disconnect();
        }
    }
}
