package org.sluice.cli.watch;

import java.util.List;
import java.util.Locale;
import org.sluice.cli.watch.Picture.TimelinePart;

/**
 * Where a process stands before its run can be watched; the document of {@code /stats.json} until then.
 *
 * @param running never: nothing moves yet
 * @param phase {@code opening}, {@code waiting}, {@code preparing}, {@code running}, {@code over}
 * @param waitingFor whom; empty where it waits for nobody
 * @param sinceSeconds for how long
 */
public record Waiting(
        boolean running, String phase, String waitingFor, double sinceSeconds, long bytes, TimelinePart timeline) {
    /** A phase and when it began. @param since as {@link System#nanoTime} */
    public record Phase(String name, String waitingFor, long since) {
        double seconds() {
            return (System.nanoTime() - since) / 1e9;
        }

        Waiting document() {
            return new Waiting(
                    false,
                    name,
                    waitingFor,
                    Painter.round(seconds()),
                    0,
                    new TimelinePart(List.of(), List.of(), List.of(), List.of()));
        }

        /** For Prometheus: which phase it is, and for how long. */
        String metrics() {
            String labels = "{phase=\"" + name + "\",waiting_for=\"" + escaped(waitingFor) + "\"}";
            return "# HELP sluice_phase What the process is at; the value is 1.\n# TYPE sluice_phase gauge\nsluice_phase"
                    + labels
                    + " 1\n# HELP sluice_phase_seconds For how long.\n# TYPE sluice_phase_seconds gauge\nsluice_phase_seconds "
                    + String.format(Locale.ROOT, "%.3f", seconds()) + "\n";
        }

        private static String escaped(String text) {
            return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ");
        }
    }
}
