package org.sluice.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.cli.watch.Processes;

/** The heat map, the table and the CSV of one result. The heat map is looked at in a browser. */
class HeatMapTest {
    private static final int NODES = 16;
    private static final Pattern CELL = Pattern.compile(
            "<rect data-cell=\"(\\d+)/(\\d+)\" data-value=\"([^\"]+)\"[^>]*?( class=\"found\")? fill=[^>]*fill-opacity=\"([^\"]+)\"");

    @TempDir
    Path folder;

    /** Of a cluster of 16 nodes with two NICs each: one NIC is slow, one loses segments, two nodes have no link. */
    private static MatrixReport report() {
        Random random = new Random(20);
        List<Way> ways = new ArrayList<>();
        List<MatrixReport.Member> members = new ArrayList<>();
        for (int a = 0; a < NODES; a++) {
            members.add(new MatrixReport.Member(a, "gpu-" + (a + 1), "host", "host", 1, List.of("eth1", "eth2")));
            for (int b = 0; b < NODES; b++) {
                if (a == b) {
                    continue;
                }
                if (Math.min(a, b) == 2 && Math.max(a, b) == 9) {
                    ways.add(new Way(a, b, "no <route>, \"none\"", 0, 0, 0, 0, 0, List.of()));
                    continue;
                }
                List<Rail> rails = new ArrayList<>();
                for (int n = 1; n <= 2; n++) {
                    double rate = 22.5 * (1 + 0.02 * random.nextGaussian()) * (n == 2 && (a == 5 || b == 5) ? 0.25 : 1);
                    rails.add(new Rail(
                            "eth" + n, "eth" + n, rate, 1_000_000, n == 1 && b == 12 ? 12_000 : random.nextInt(20)));
                }
                ways.add(new Way(
                        a,
                        b,
                        "",
                        rails.stream().mapToDouble(Rail::gbPerSecond).sum(),
                        35 + 3 * random.nextGaussian(),
                        80,
                        32 << 20,
                        0,
                        rails));
            }
        }
        List<Way> good = ways.stream().filter(w -> w.failure().isEmpty()).toList();
        return new MatrixReport(
                false,
                "2026-11-27T23:00:00Z",
                NODES,
                15,
                1,
                1,
                "host memory",
                1,
                240L << 25,
                0,
                40.0,
                30,
                MatrixReport.Spread.of(
                        good.stream().mapToDouble(Way::gbPerSecond).toArray()),
                MatrixReport.Spread.of(good.stream().mapToDouble(Way::p50Micros).toArray()),
                Outliers.of(
                        IntStream.range(0, NODES)
                                .mapToObj(i -> "gpu-" + (i + 1))
                                .toList(),
                        ways),
                null,
                members,
                ways);
    }

    @Test
    void everyCellIsDrawnAsItsValueIs() throws Exception {
        MatrixReport report = report();
        Path page = folder.resolve("matrix.html");
        Files.writeString(page, MatrixPage.of(report));
        assertThat(Files.readString(page)).doesNotContain("src=", "@import", "url(", "http");
        Path chromium = Processes.onPath("chromium", "chromium-browser", "google-chrome");
        assumeTrue(
                chromium != null, "no Chromium is installed (Debian: apt install chromium): the page is not looked at");
        List<String> views = List.of("rate", "eth1 to eth1", "eth2 to eth2", "sent again", "latency");
        for (int v : List.of(0, 2)) {
            String dom = dom(chromium, page.toUri() + "#" + v);
            assertThat(dom)
                    .contains(
                            "data-view=\"" + views.get(v) + "\"",
                            "not valid",
                            "3 things stand out",
                            "NIC eth2 of rank 5 (gpu-6)");
            Map<Integer, Way> ways = new HashMap<>();
            report.ways().forEach(w -> ways.put(w.from() * NODES + w.to(), w));
            double most =
                    report.ways().stream().mapToDouble(w -> value(w, v)).max().orElseThrow();
            Matcher cell = CELL.matcher(dom);
            while (cell.find()) {
                int from = Integer.parseInt(cell.group(1));
                int to = Integer.parseInt(cell.group(2));
                Way way = ways.remove(from * NODES + to);
                assertThat(way).as(cell.group()).isNotNull();
                assertThat(Double.parseDouble(cell.group(3))).isCloseTo(value(way, v), within(1e-9));
                double opacity = way.failure().isEmpty() ? 0.06 + 0.94 * value(way, v) / most : 0;
                assertThat(Double.parseDouble(cell.group(5))).isCloseTo(opacity, within(1e-3));
                boolean framed =
                        from == 5 || to == 5 || to == 12 || !way.failure().isEmpty();
                assertThat(cell.group(4) != null).as(cell.group()).isEqualTo(framed);
            }
            assertThat(ways).isEmpty();
        }
    }

    private static double value(Way way, int view) {
        return way.rails().stream()
                .filter(r -> view == 0 || r.nic().equals("eth" + view))
                .mapToDouble(Rail::gbPerSecond)
                .sum();
    }

    /** What the browser made of it, without the scripts, which hold markup in their text. */
    private String dom(Path chromium, String address) throws Exception {
        Processes.Ended ended = Processes.run(
                List.of(
                        chromium.toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        "--user-data-dir=" + folder.resolve("profile"),
                        "--virtual-time-budget=2500",
                        "--dump-dom",
                        address),
                "");
        assertThat(ended.out()).as(ended.err()).contains("</html>");
        return ended.out().substring(0, ended.out().indexOf("<script id=\"matrix\""));
    }

    @Test
    void theTableAndTheVerdictSayTheSame() {
        MatrixReport report = report();
        String text = MatrixText.of(report);
        assertThat(text)
                .contains(
                        "# 16 nodes, host memory, 1 s each way in 15 rounds and 1 again; GB/s (10^9 bytes) from row to column")
                .contains("- NIC eth2 of rank 5 (gpu-6): sends and receives at 25 % of the usual rate")
                .contains(
                        "- NIC eth1 of rank 12 (gpu-13): 1.2 % of the segments that it is sent are sent again, usual is 0.001 %")
                .contains("- rank 2 (gpu-3) and rank 9 (gpu-10) could not be measured: no <route>, \"none\"")
                .endsWith("NOT VALID: 3 things stand out; 30 of 240 directions are below the expected 40.0 GB/s\n");
        assertThat(text.lines().filter(l -> l.startsWith("  2 gpu-3")))
                .hasSize(1)
                .first()
                .asString()
                .contains("     ?  ");
        assertThat(text.lines()).allMatch(l -> l.length() < 160);
        assertThat(MatrixText.status(report)).isEqualTo(6);
    }

    @Test
    void everyLineOfTheCsvHasEveryColumn() {
        List<String> lines = MatrixCsv.of(report()).lines().toList();
        int columns = lines.getFirst().split(",", -1).length;
        Pattern quoted = Pattern.compile("\"([^\"]|\"\")*\"");
        assertThat(lines)
                .hasSize(1 + 240 + 2 * 238)
                .allSatisfy(l -> assertThat(quoted.matcher(l).replaceAll("x").split(",", -1))
                        .hasSize(columns));
        assertThat(lines.get(1)).startsWith("way,0,1,gpu-1,gpu-2,,,4");
        assertThat(lines.get(2)).startsWith("rail,0,1,gpu-1,gpu-2,eth1,eth1,2");
        assertThat(lines).anyMatch(l -> l.endsWith("\"no <route>, \"\"none\"\"\""));
    }
}
