package org.sluice.cli.topology;

import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.PciDistance;

/** The matrix of {@code nvidia-smi topo -m}, with NICs by their name and the NICs' particulars below. */
public final class TopologyTable {
    private static final double GIGABIT = 1e9;

    private TopologyTable() {}

    public static String of(TopologyReport report) {
        StringBuilder out = new StringBuilder();
        List<String> names = new ArrayList<>();
        report.gpus().forEach(g -> names.add(g.name()));
        report.nics().forEach(n -> names.add(n.name()));
        List<List<String>> matrix = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of(""));
        head.addAll(names);
        head.addAll(List.of("CPU Affinity", "NUMA Affinity"));
        matrix.add(head);
        for (String row : names) {
            List<String> cells = new ArrayList<>(List.of(row));
            names.forEach(column -> cells.add(report.distance(row, column)));
            cells.addAll(place(report, row));
            matrix.add(cells);
        }
        print(out, matrix);
        if (report.gpuNote() != null) {
            out.append('\n').append("No GPUs: ").append(report.gpuNote()).append('\n');
        }
        out.append("\nNICs\n");
        List<List<String>> nics = new ArrayList<>();
        nics.add(List.of("", "state", "Gbit/s", "MTU", "queues", "driver", "PCI", "addresses"));
        for (TopologyReport.Nic n : report.nics()) {
            nics.add(List.of(
                    n.name(),
                    n.state(),
                    n.bitsPerSecond() == 0 ? "?" : number(n.bitsPerSecond() / GIGABIT),
                    Integer.toString(n.mtu()),
                    n.rxQueues() + "/" + n.txQueues(),
                    n.driver() == null ? "?" : n.driver(),
                    n.pciAddress() == null ? "virtual" : n.pciAddress(),
                    String.join(" ", n.addresses())));
        }
        print(out, nics);
        out.append("\nLegend\n");
        for (PciDistance d : PciDistance.values()) {
            out.append("  %-5s %s%n".formatted(d.symbol(), d.meaning()));
        }
        return out.toString();
    }

    private static List<String> place(TopologyReport report, String name) {
        for (TopologyReport.Gpu g : report.gpus()) {
            if (g.name().equals(name)) {
                return List.of(g.cpus(), numa(g.numaNode()));
            }
        }
        for (TopologyReport.Nic n : report.nics()) {
            if (n.name().equals(name)) {
                return List.of(n.cpus(), numa(n.numaNode()));
            }
        }
        throw new IllegalArgumentException(name);
    }

    private static String numa(int node) {
        return node < 0 ? "N/A" : Integer.toString(node);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    private static void print(StringBuilder out, List<List<String>> rows) {
        int[] width = new int[rows.getFirst().size()];
        for (List<String> row : rows) {
            for (int i = 0; i < width.length; i++) {
                width[i] = Math.max(width[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < width.length; i++) {
                line.append(row.get(i)).append(" ".repeat(width[i] - row.get(i).length() + 2));
            }
            out.append(line.toString().stripTrailing()).append('\n');
        }
    }
}
