package org.sluice.cli.watch;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Progress on a terminal: a bar for each GPU, the whole, and each rail, painted over again and again. Thread-safe. */
final class Progress {
    private static final int BAR = 24;
    private static final int WIDTH = 78;

    /** Rates are over the last readings, so that they do not jump. */
    private static final double RATE_SECONDS = 1;

    /** A rail shorter silent than this is merely slow. */
    private static final double STALL_SECONDS = 0.5;

    private static final String RED = "\033[31m";
    private static final String PLAIN = "\033[0m";
    private static final String TO_LINE_END = "\033[K";

    /** A terminal that is narrower than a line cuts it, rather than to begin another that nobody counts. */
    private static final String WRAP_OFF = "\033[?7l";

    private static final String WRAP_ON = "\033[?7h";

    private final List<Integer> gpus;
    private final List<String> nics;
    private final long plannedBytes;
    private final PrintStream out;
    private final Deque<Reading> recent = new ArrayDeque<>();
    private int painted;

    /**
     * @param gpus numbers of the GPUs, in the order of readings
     * @param nics names of the NICs, likewise
     * @param plannedBytes payload of all GPUs, 0 if that is not known
     */
    Progress(List<Integer> gpus, List<String> nics, long plannedBytes, PrintStream out) {
        this.gpus = gpus;
        this.nics = nics;
        this.plannedBytes = plannedBytes;
        this.out = out;
    }

    /** Whether stderr is a terminal that can move its cursor. */
    static boolean isPossible() {
        try {
            String to = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            boolean terminal = to.startsWith("/dev/pts/") || to.startsWith("/dev/tty") || to.equals("/dev/console");
            return terminal && !System.getenv().getOrDefault("TERM", "dumb").equals("dumb");
        } catch (IOException e) {
            return false;
        }
    }

    /** @param stalled seconds without a byte although chunks are in flight, by NIC */
    synchronized void show(Reading now, Map<String, Double> stalled) {
        recent.add(now);
        while (recent.size() > 2 && now.seconds() - recent.getFirst().seconds() > RATE_SECONDS) {
            recent.removeFirst();
        }
        paint(lines(recent.getFirst(), now, stalled));
    }

    List<String> lines(Reading before, Reading now, Map<String, Double> stalled) {
        double span = Math.max(1e-9, now.seconds() - before.seconds());
        List<String> lines = new ArrayList<>();
        for (int g = 0; g < gpus.size(); g++) {
            double part = plannedBytes == 0 ? -1 : (double) now.gpuBytes()[g] * gpus.size() / plannedBytes;
            lines.add(fit(String.format(
                    Locale.ROOT,
                    "GPU %-2d %s %8.3f GB/s",
                    gpus.get(g),
                    bar(part),
                    (now.gpuBytes()[g] - before.gpuBytes()[g]) / span / 1e9)));
        }
        double rate = (now.bytes() - before.bytes()) / span;
        lines.add(fit(String.format(
                Locale.ROOT,
                "all    %s %8.3f GB/s  %s",
                bar(plannedBytes == 0 ? -1 : (double) now.bytes() / plannedBytes),
                rate / 1e9,
                whereItIs(now, rate))));
        lines.addAll(rails(before, now, span, stalled));
        return lines;
    }

    private String whereItIs(Reading now, double rate) {
        if (now.bytes() == 0) {
            return "preparing";
        }
        if (plannedBytes == 0) {
            return String.format(Locale.ROOT, "%.1f GB in %s", now.bytes() / 1e9, time(now.seconds()));
        }
        return rate == 0 ? "ETA unknown" : "ETA " + time(Math.max(0, plannedBytes - now.bytes()) / rate);
    }

    private static String time(double seconds) {
        return seconds < 100
                ? String.format(Locale.ROOT, "%.0f s", seconds)
                : String.format(Locale.ROOT, "%.0f min", seconds / 60);
    }

    /** As many to a line as fit. */
    private List<String> rails(Reading before, Reading now, double span, Map<String, Double> stalled) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder("rails");
        int visible = line.length();
        for (int n = 0; n < nics.size(); n++) {
            double silent = stalled.getOrDefault(nics.get(n), 0.0);
            boolean red = silent >= STALL_SECONDS;
            String rail = red
                    ? String.format(Locale.ROOT, "%s stalled %.1f s", nics.get(n), silent)
                    : String.format(
                            Locale.ROOT, "%s %.3f", nics.get(n), (now.nicBytes(n) - before.nicBytes(n)) / span / 1e9);
            if (visible + 2 + rail.length() > WIDTH) {
                lines.add(line.toString());
                line = new StringBuilder("     ");
                visible = line.length();
            }
            line.append("  ").append(red ? RED + rail + PLAIN : rail);
            visible += 2 + rail.length();
        }
        lines.add(line.toString());
        return lines;
    }

    /** @param part done, 0 to 1; negative where it is not known */
    private static String bar(double part) {
        if (part < 0) {
            return " ".repeat(BAR + 6);
        }
        int full = (int) Math.round(Math.min(1, part) * BAR);
        return "█".repeat(full)
                + "░".repeat(BAR - full)
                + String.format(Locale.ROOT, " %3.0f %%", 100 * Math.min(1, part));
    }

    private void paint(List<String> lines) {
        StringBuilder all = new StringBuilder(up()).append(WRAP_OFF);
        lines.forEach(l -> all.append(l).append(TO_LINE_END).append('\n'));
        for (int extra = lines.size(); extra < painted; extra++) {
            all.append(TO_LINE_END).append('\n');
        }
        painted = Math.max(painted, lines.size());
        out.print(all.append(WRAP_ON));
        out.flush();
    }

    /** The same terminal for everybody else: what is printed there stays, above what is painted next. */
    PrintStream others() {
        OutputStream above = new OutputStream() {
            @Override
            public void write(int b) {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int from, int count) {
                synchronized (Progress.this) {
                    clear();
                    out.write(bytes, from, count);
                    out.flush();
                }
            }
        };
        return new PrintStream(above, true, out.charset());
    }

    private String up() {
        return painted == 0 ? "" : "\033[" + painted + "A\r";
    }

    /** Takes it off the terminal again: the result comes in its place. */
    synchronized void clear() {
        if (painted > 0) {
            out.print(up() + "\033[J");
            out.flush();
            painted = 0;
        }
    }

    private static String fit(String line) {
        return line.length() <= WIDTH ? line : line.substring(0, WIDTH);
    }
}
