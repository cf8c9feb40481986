package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The page as a browser drew it: its DOM, in which the JSON that was drawn stands beside what was drawn from it. */
final class DrawnPage {
    private static final Pattern ATTRIBUTE = Pattern.compile("([a-z0-9-]+)=\"([^\"]*)\"");

    private static final String SCRIPTS = "<script id=\"picture\"";

    /** What is seen: all before the scripts, which hold markup in their text. */
    private final String dom;

    private final String scripts;

    private DrawnPage(String all) {
        int at = all.indexOf(SCRIPTS);
        assertThat(at).isPositive();
        dom = all.substring(0, at);
        scripts = all.substring(at);
    }

    /** Opens an address in a headless Chromium; skips the test where there is none. */
    static DrawnPage open(String address, Path profile) throws IOException, InterruptedException {
        Path chromium = Processes.onPath("chromium", "chromium-browser", "google-chrome");
        assumeTrue(
                chromium != null, "no Chromium is installed (Debian: apt install chromium): the page is not looked at");
        Processes.Ended ended = Processes.run(
                List.of(
                        chromium.toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        "--user-data-dir=" + profile,
                        "--virtual-time-budget=2500",
                        "--dump-dom",
                        address),
                "");
        assertThat(ended.out()).as(ended.err()).contains("</html>");
        return new DrawnPage(ended.out());
    }

    /** What was drawn. */
    JsonText.Node picture() {
        Matcher m = Pattern.compile("<script id=\"picture\"[^>]*>(.*?)</script>", Pattern.DOTALL)
                .matcher(scripts);
        assertThat(m.find()).isTrue();
        return JsonText.parse(m.group(1));
    }

    /** Attributes of every drawn element that has one of this name, by its value. */
    private Map<String, Map<String, String>> drawn(String within, String attribute) {
        Map<String, Map<String, String>> all = new LinkedHashMap<>();
        Matcher tag = Pattern.compile("<[a-z]+ [^>]*" + attribute + "=\"[^>]*>").matcher(within);
        while (tag.find()) {
            Map<String, String> attributes = new LinkedHashMap<>();
            Matcher a = ATTRIBUTE.matcher(tag.group());
            while (a.find()) {
                attributes.put(a.group(1), a.group(2));
            }
            all.put(attributes.get(attribute), attributes);
        }
        return all;
    }

    private String chart(String name) {
        int from = dom.indexOf("data-chart=\"" + name + "\"");
        assertThat(from).as("chart " + name).isPositive();
        return dom.substring(from, dom.indexOf("</svg>", from));
    }

    /** Every drawn value is the JSON's: lines, cells, bars, table, verdicts. */
    void checkAgainst(JsonText.Node p) {
        checkLines("nics", p.get("timeline").get("nics"));
        checkLines("gpus-over-time", p.get("timeline").get("gpus"));
        checkHeat(p.get("channels").list());
        checkLatency(p.get("latencies").list());
        checkGpuBars(p.get("gpus").list());
        checkStates(p);
        Map<String, Map<String, String>> rows = drawn(dom, "data-nic");
        assertThat(rows.keySet())
                .containsExactlyElementsOf(p.get("nics").list().stream()
                        .map(n -> n.get("nic").text())
                        .toList());
        assertThat(drawn(dom, "data-verdict").keySet())
                .containsExactlyElementsOf(p.get("verdicts").list().stream()
                        .map(v -> v.get("name").text())
                        .toList());
    }

    private static List<double[]> points(Map<String, String> line) {
        List<double[]> points = new ArrayList<>();
        for (String point : line.getOrDefault("points", "").split(" ", -1)) {
            if (!point.isEmpty()) {
                String[] xy = point.split(",", -1);
                points.add(new double[] {Double.parseDouble(xy[0]), Double.parseDouble(xy[1])});
            }
        }
        return points;
    }

    private static double number(Map<String, String> element, String attribute) {
        return Double.parseDouble(element.get(attribute));
    }

    private void checkLines(String chart, JsonText.Node series) {
        Map<String, Map<String, String>> lines = drawn(chart(chart), "data-series");
        assertThat(lines).hasSize(series.list().size());
        for (JsonText.Node s : series.list()) {
            Map<String, String> line = lines.get(s.get("name").text());
            double top = number(line, "data-top");
            double bottom = number(line, "data-bottom");
            List<JsonText.Node> values = s.get("gbPerSecond").list();
            List<double[]> points = points(line);
            assertThat(points).hasSize(values.size()).isNotEmpty();
            for (int i = 0; i < points.size(); i++) {
                double value = (bottom - points.get(i)[1]) / (bottom - top) * number(line, "data-max");
                assertThat(value).isCloseTo(values.get(i).number(), within(number(line, "data-max") / 5000));
            }
        }
    }

    private void checkHeat(List<JsonText.Node> channels) {
        Map<String, Map<String, String>> cells = drawn(chart("heat"), "data-cell");
        assertThat(cells).hasSize(channels.size());
        double most = channels.stream()
                .mapToDouble(c -> c.get("share").number())
                .max()
                .orElse(0);
        for (JsonText.Node c : channels) {
            String name = (int) c.get("gpu").number() + "/" + c.get("direction").text() + "/"
                    + (int) c.get("channel").number();
            double share = c.get("share").number();
            assertThat(number(cells.get(name), "data-share")).isEqualTo(share);
            assertThat(number(cells.get(name), "fill-opacity")).isCloseTo(0.06 + 0.94 * share / most, within(1e-3));
        }
    }

    private void checkLatency(List<JsonText.Node> latencies) {
        Map<String, Map<String, String>> lines = drawn(chart("latency"), "data-series");
        assertThat(lines).hasSize(latencies.size()).isNotEmpty();
        for (JsonText.Node l : latencies) {
            Map<String, String> line = lines.get(l.get("direction").text());
            List<JsonText.Node> quantiles = l.get("quantiles").list();
            List<double[]> points = points(line);
            assertThat(points).hasSize(quantiles.size());
            for (int i = 0; i < points.size(); i++) {
                double part = (number(line, "data-bottom") - points.get(i)[1])
                        / (number(line, "data-bottom") - number(line, "data-top"));
                double low = number(line, "data-low");
                double micros = Math.pow(10, low + part * (number(line, "data-high") - low));
                double wanted = Math.max(1, quantiles.get(i).get("micros").number());
                assertThat(micros / wanted).isCloseTo(1, within(0.01));
            }
        }
    }

    private void checkGpuBars(List<JsonText.Node> gpus) {
        Map<String, Map<String, String>> bars = drawn(chart("gpus"), "data-gpu");
        double most = gpus.stream()
                .mapToDouble(g -> g.get("gbPerSecond").number())
                .max()
                .orElse(1);
        assertThat(bars).hasSize(gpus.size());
        for (JsonText.Node g : gpus) {
            Map<String, String> bar =
                    bars.get(Integer.toString((int) g.get("gpu").number()));
            assertThat(number(bar, "width") / number(bar, "data-full"))
                    .isCloseTo(g.get("gbPerSecond").number() / most, within(1e-3));
        }
    }

    private void checkStates(JsonText.Node p) {
        Map<String, Map<String, String>> bars = drawn(chart("states"), "data-state");
        for (JsonText.Node nic : p.get("nics").list()) {
            String name = nic.get("nic").text();
            double all = 0;
            double socket = 0;
            for (JsonText.Node c : p.get("channels").list()) {
                if (c.get("nic").text().equals(name)) {
                    JsonText.Node s = c.get("state");
                    for (String state : List.of("idle", "noGrant", "noSlot", "socket", "staging")) {
                        all += s.get(state).number();
                    }
                    socket += s.get("socket").number();
                }
            }
            if (socket > 0) {
                Map<String, String> bar = bars.get(name + "/socket");
                assertThat(number(bar, "width") / number(bar, "data-full")).isCloseTo(socket / all, within(1e-3));
            }
        }
    }
}
