package org.sluice.cli.doctor;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** A diagnosis for people: what is worst comes last, where the eye is. */
public final class DiagnosisText {
    private DiagnosisText() {}

    public static String of(Diagnosis diagnosis) {
        StringBuilder out = new StringBuilder();
        List<Finding> findings = diagnosis.findings().stream()
                .sorted(Comparator.comparing(Finding::severity))
                .toList();
        int check = findings.stream().mapToInt(f -> f.check().length()).max().orElse(0);
        for (Finding f : findings) {
            String label = f.severity().name().toLowerCase(Locale.ROOT);
            out.append(("%-7s  %-" + check + "s  ").formatted(label, f.check()));
            out.append(f.subject()).append(": ").append(f.found()).append('\n');
            if (!f.advice().isEmpty()) {
                out.append(" ".repeat(9 + check + 2))
                        .append("> ")
                        .append(f.advice())
                        .append('\n');
            }
        }
        long problems = count(diagnosis, Severity.PROBLEM);
        long warnings = count(diagnosis, Severity.WARNING);
        out.append('\n')
                .append(problems == 0 ? "usable" : "not usable")
                .append(": ")
                .append(problems)
                .append(problems == 1 ? " problem, " : " problems, ")
                .append(warnings)
                .append(warnings == 1 ? " warning\n" : " warnings\n");
        return out.toString();
    }

    private static long count(Diagnosis d, Severity s) {
        return d.findings().stream().filter(f -> f.severity() == s).count();
    }
}
