package org.sluice.cli.job;

import java.util.List;
import java.util.Locale;
import org.sluice.cli.watch.Verdict;

/** Verdicts as people read them: a line each, and one for all. */
final class VerdictText {
    private VerdictText() {}

    static String of(List<Verdict> verdicts) {
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
