package org.sluice.cli;

import java.io.PrintWriter;

/** Prints a report and turns it into an exit status. */
final class RunResult {
    private RunResult() {}

    static int print(Report report, boolean json, PrintWriter out, PrintWriter err) {
        out.print(json ? Json.of(report) : ReportText.of(report));
        out.flush();
        if (report.mismatchedBytes() > 0) {
            err.println(
                    "sluice: " + report.mismatchedBytes() + " bytes are wrong, the first at " + report.firstMismatch());
            err.flush();
            return ExitCode.MISMATCH;
        }
        return ExitCode.OK;
    }
}
