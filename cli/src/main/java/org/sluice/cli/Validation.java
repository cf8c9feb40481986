package org.sluice.cli;

import java.util.List;
import java.util.Locale;
import org.sluice.cli.watch.Verdict;

/**
 * What {@code sluice validate} found; with {@code --json} it is the document.
 *
 * @param pass whether every verdict is a pass
 * @param run what the run came to
 */
record Validation(boolean pass, List<Verdict> verdicts, Report run) {
    static Validation of(List<Verdict> verdicts, Report run) {
        return new Validation(verdicts.stream().allMatch(Verdict::pass), List.copyOf(verdicts), run);
    }

    /** A line a verdict, and one for all. */
    String text() {
        StringBuilder out = new StringBuilder();
        for (Verdict v : verdicts) {
            out.append(
                    String.format(Locale.ROOT, "%-4s  %-24s  %s\n", v.pass() ? "PASS" : "FAIL", v.name(), v.detail()));
        }
        long failed = verdicts.stream().filter(v -> !v.pass()).count();
        return out.append(
                        failed == 0
                                ? "\nVALID: all " + verdicts.size() + " checks passed\n"
                                : "\nNOT VALID: " + failed + " of " + verdicts.size() + " checks failed\n")
                .toString();
    }
}
