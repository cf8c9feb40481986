package org.sluice.cli.job;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import org.sluice.NodeConfig;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.Values;
import org.sluice.cli.options.DemandOptions;
import org.sluice.cli.options.NodeOptions;
import org.sluice.cli.options.PlanOptions;
import org.sluice.cli.options.WatchOptions;
import org.sluice.cli.run.NodeJob;
import org.sluice.cli.run.Report;
import org.sluice.cli.run.Role;
import org.sluice.cli.run.RunPlan;
import org.sluice.cli.run.Steps;
import org.sluice.cli.watch.Limits;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of every command that runs the job, and what they make of it. */
final class JobOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    @Mixin
    private PlanOptions plan = new PlanOptions();

    @Mixin
    private NodeOptions node = new NodeOptions();

    @Option(
            names = "--steps",
            hidden = true,
            paramLabel = "<where>",
            converter = Steps.Target.class,
            description = "print steps on stderr, stdout or none (stderr)")
    private @Nullable Steps steps;

    @Mixin
    private DemandOptions demands = new DemandOptions();

    @Mixin
    private WatchOptions watching = new WatchOptions();

    @Option(names = "--json", description = "print the result as one JSON document")
    private boolean json;

    /** Runs one side as a command of its own. @return the exit status */
    int run(Role role, String host) {
        RunPlan wanted = plan(false);
        NodeConfig config = configuration(wanted).build();
        return print(job(role, config, wanted, Steps.STDERR, 1, null).execute(host, Values.text(role)));
    }

    /** What this side wants run. */
    RunPlan plan(boolean verifyByDefault) {
        return plan.plan(verifyByDefault);
    }

    NodeOptions node() {
        return node;
    }

    NodeConfig.Builder configuration(RunPlan wanted) {
        return watching.apply(node.builder()).duplex(wanted.bidirectional()).note(wanted.note());
    }

    /**
     * @param byDefault where steps are printed if nothing was said
     * @param processesHere how many processes of the run share this machine's memory
     * @param limits by which performance is judged, null where it is not
     */
    NodeJob job(
            Role role, NodeConfig config, RunPlan wanted, Steps byDefault, int processesHere, @Nullable Limits limits) {
        Steps where = steps == null ? byDefault : steps;
        if (json && where == Steps.STDOUT) {
            where = Steps.STDERR; // the document is alone on stdout
        }
        return new NodeJob(
                role,
                config,
                wanted,
                plan.givenSize(),
                where,
                processesHere,
                watching.observer(config, limits, demands.demands()));
    }

    /** Prints what a run came to. @return the exit status */
    int print(Report report) {
        print(report, ReportText.of(report));
        if (report.mismatchedBytes() > 0) {
            PrintWriter err = command.commandLine().getErr();
            err.println(
                    "sluice: " + report.mismatchedBytes() + " bytes are wrong, the first at " + report.firstMismatch());
            err.flush();
            return ExitCode.MISMATCH;
        }
        return fastEnough(report);
    }

    /** @return the exit status of a run whose bytes are right */
    int fastEnough(Report report) {
        String slow = demands.demands().tooSlow(report.gbPerSecond());
        if (slow.isEmpty()) {
            return ExitCode.OK;
        }
        PrintWriter err = command.commandLine().getErr();
        err.println("sluice: " + slow + "; " + report.path().text());
        err.flush();
        return ExitCode.INVALID;
    }

    /** Prints the document that another process made, with {@code --json}; a JVM that did not start says so in its place. */
    void printRaw(String document) {
        if (!document.startsWith("{")) {
            command.commandLine().getErr().print(document);
            command.commandLine().getErr().flush();
        } else if (json) {
            PrintWriter out = command.commandLine().getOut();
            out.print(document);
            out.flush();
        }
    }

    /** Prints a document, or with {@code --json} not asked for its text. */
    void print(Record document, String text) {
        PrintWriter out = command.commandLine().getOut();
        out.print(json ? Json.of(document) : text);
        out.flush();
    }
}
