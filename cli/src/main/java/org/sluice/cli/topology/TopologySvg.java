package org.sluice.cli.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The machine as a drawing: a box per NUMA node with its GPUs and NICs, and a line from each GPU to its nearest NICs. */
public final class TopologySvg {
    private static final int CARD_WIDTH = 132;
    private static final int CARD_HEIGHT = 46;
    private static final int GAP = 16;
    private static final int BOX_HEAD = 44;
    private static final int GPU_TO_NIC = 90;
    private static final int LEGEND_HEIGHT = 40;

    /** Nearest first, so that the order of the values is the order of the eye. */
    private static final List<String> ORDER = List.of("PIX", "PXB", "PHB", "NODE", "SYS");

    private static final Map<String, String> COLOUR =
            Map.of("PIX", "#1a7f37", "PXB", "#4d9d3a", "PHB", "#9a6700", "NODE", "#bc4c00", "SYS", "#cf222e");

    private TopologySvg() {}

    private record Card(String name, int x, int y) {}

    public static String of(TopologyReport report) {
        StringBuilder body = new StringBuilder();
        List<Card> gpus = new ArrayList<>();
        List<Card> nics = new ArrayList<>();
        int x = GAP;
        int height = BOX_HEAD + 2 * CARD_HEIGHT + GPU_TO_NIC + GAP;
        List<Integer> boxes = new ArrayList<>(
                report.numaNodes().stream().map(TopologyReport.Numa::id).toList());
        boxes.add(-1);
        for (int numa : boxes) {
            List<TopologyReport.Gpu> g =
                    report.gpus().stream().filter(p -> p.numaNode() == numa).toList();
            List<TopologyReport.Nic> n =
                    report.nics().stream().filter(p -> p.numaNode() == numa).toList();
            if (numa < 0 && g.isEmpty() && n.isEmpty()) {
                continue;
            }
            int columns = Math.max(1, Math.max(g.size(), n.size()));
            int width = columns * (CARD_WIDTH + GAP) + GAP;
            box(body, report, numa, x, width, height);
            for (int i = 0; i < g.size(); i++) {
                Card c = new Card(g.get(i).name(), column(x, width, i, g.size()), GAP + BOX_HEAD);
                gpus.add(c);
                card(body, c, "#ddf4ff", g.get(i).model(), g.get(i).pciAddress());
            }
            for (int i = 0; i < n.size(); i++) {
                Card c = new Card(
                        n.get(i).name(), column(x, width, i, n.size()), GAP + BOX_HEAD + CARD_HEIGHT + GPU_TO_NIC);
                nics.add(c);
                long gigabits = n.get(i).bitsPerSecond() / 1_000_000_000;
                card(
                        body,
                        c,
                        "#fff8c5",
                        gigabits == 0 ? n.get(i).state() : gigabits + " Gbit/s",
                        n.get(i).pciAddress());
            }
            x += width + GAP;
        }
        StringBuilder lines = new StringBuilder();
        gpus.forEach(g -> lines(lines, report, g, nics));
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + x + "\" height=\""
                + (height + 2 * GAP + LEGEND_HEIGHT) + "\" font-family=\"sans-serif\" font-size=\"12\">\n"
                + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" + body + lines
                + legend(height + 2 * GAP) + "</svg>\n";
    }

    private static int column(int x, int width, int i, int count) {
        return x + (int) ((i + 0.5) * width / count) - CARD_WIDTH / 2;
    }

    private static void box(StringBuilder out, TopologyReport report, int numa, int x, int width, int height) {
        String title = numa < 0 ? "no NUMA node known" : "NUMA node " + numa;
        String cpus = report.numaNodes().stream()
                .filter(n -> n.id() == numa)
                .map(n -> "CPUs " + n.cpus())
                .findFirst()
                .orElse("");
        out.append("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"#f6f8fa\" stroke=\"#8c959f\"/>%n"
                .formatted(x, GAP, width, height));
        text(out, x + 10, GAP + 18, "bold", title);
        text(out, x + 10, GAP + 34, "normal", cpus);
    }

    private static void card(StringBuilder out, Card c, String fill, String detail, @Nullable String pci) {
        out.append("<g class=\"device\" data-name=\"%s\">%n".formatted(escape(c.name)));
        out.append("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\" stroke=\"#57606a\"/>%n"
                .formatted(c.x, c.y, CARD_WIDTH, CARD_HEIGHT, fill));
        text(out, c.x + 8, c.y + 16, "bold", c.name + (pci == null ? "" : "  " + pci));
        text(out, c.x + 8, c.y + 34, "normal", detail);
        out.append("</g>\n");
    }

    /** To the NICs that are nearest to the GPU; where all are equally far, a line to each says nothing and is left out. */
    private static void lines(StringBuilder out, TopologyReport report, Card gpu, List<Card> nics) {
        int nearest = nics.stream()
                .mapToInt(n -> rank(report.distance(gpu.name, n.name)))
                .min()
                .orElse(ORDER.size());
        int farthest = nics.stream()
                .mapToInt(n -> rank(report.distance(gpu.name, n.name)))
                .max()
                .orElse(ORDER.size());
        if (nearest == ORDER.size() || (nearest == farthest && nics.size() > 1)) {
            return;
        }
        for (Card n : nics) {
            String distance = report.distance(gpu.name, n.name);
            if (rank(distance) == nearest) {
                out.append(
                        "<line class=\"near\" data-from=\"%s\" data-to=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"3\"/>%n"
                                .formatted(
                                        escape(gpu.name),
                                        escape(n.name),
                                        gpu.x + CARD_WIDTH / 2,
                                        gpu.y + CARD_HEIGHT,
                                        n.x + CARD_WIDTH / 2,
                                        n.y,
                                        COLOUR.get(distance)));
            }
        }
    }

    private static int rank(String distance) {
        int rank = ORDER.indexOf(distance);
        return rank < 0 ? ORDER.size() : rank;
    }

    private static String legend(int y) {
        StringBuilder out = new StringBuilder();
        int x = GAP;
        text(out, x, y + 16, "normal", "nearest NICs of each GPU:");
        x += 160;
        for (String d : ORDER) {
            out.append("<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"3\"/>%n"
                    .formatted(x, y + 12, x + 24, y + 12, COLOUR.get(d)));
            text(out, x + 30, y + 16, "normal", d);
            x += 80;
        }
        return out.toString();
    }

    private static void text(StringBuilder out, int x, int y, String weight, String text) {
        out.append("<text x=\"%d\" y=\"%d\" font-weight=\"%s\">%s</text>%n".formatted(x, y, weight, escape(text)));
    }

    /** Names come from drivers and users. */
    private static String escape(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                default -> {
                    if (c >= ' ') {
                        out.appendCodePoint(c);
                    }
                }
            }
        });
        return out.toString();
    }
}
