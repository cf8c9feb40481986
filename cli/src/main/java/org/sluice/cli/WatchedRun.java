package org.sluice.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.cli.watch.Context;
import org.sluice.cli.watch.Limits;
import org.sluice.cli.watch.Picture;
import org.sluice.cli.watch.RunEnd;
import org.sluice.cli.watch.Verdict;
import org.sluice.cli.watch.Watch;

/** Watches a job's run, and says loudly where engine and kernel disagree about who carried what. */
final class WatchedRun implements RunObserver {
    private final Watch.Outputs outputs;
    private final NodeConfig config;
    private final Limits limits;
    private final boolean judgesPerformance;
    private @Nullable Watch watch;
    private List<Verdict> verdicts = List.of();

    WatchedRun(Watch.Outputs outputs, NodeConfig config, Limits limits, boolean judgesPerformance) {
        this.outputs = outputs;
        this.config = config;
        this.limits = limits;
        this.judgesPerformance = judgesPerformance;
    }

    WatchedRun judging(Limits other) {
        return new WatchedRun(outputs, config, other, true);
    }

    /** What was judged; empty before the end. */
    List<Verdict> verdicts() {
        return verdicts;
    }

    @Override
    public void begins(String name, Node node, List<Link> links, RunPlan plan) {
        long planned = plan.duration().isZero() ? plan.iters() * plan.bytesPerIteration(links.size()) : 0;
        watch = Watch.begin(
                outputs, node, links, new Context(name, config.transport(), planned, configuration(node, plan)));
    }

    private List<Picture.Setting> configuration(Node node, RunPlan plan) {
        List<Picture.Setting> all = new ArrayList<>();
        all.add(new Picture.Setting("GPUs", node.gpus() + " × " + node.gpuName(0) + " (" + node.backend() + ")"));
        all.add(new Picture.Setting(
                "NICs",
                String.join(", ", node.nics().stream().map(n -> n.name()).toList())));
        all.add(new Picture.Setting("transport", config.transport()));
        all.add(new Picture.Setting("channels per GPU", Integer.toString(config.channels())));
        all.add(new Picture.Setting("striping", Values.text(config.striping())));
        all.add(new Picture.Setting("chunk", ReportText.binary(node.chunkBytes())));
        all.add(new Picture.Setting("window", node.window() + " chunks"));
        all.add(new Picture.Setting("size per GPU", ReportText.binary(plan.size())));
        all.add(new Picture.Setting(
                "run",
                plan.duration().isZero()
                        ? plan.iters() + " iterations"
                        : plan.duration().toMillis() + " ms"));
        all.add(new Picture.Setting("directions", plan.bidirectional() ? "both" : "client to server"));
        all.add(new Picture.Setting("verified", plan.verify() ? "every byte" : "no"));
        all.add(new Picture.Setting("instrumentation", config.instrumented() ? "on" : "off"));
        return all;
    }

    @Override
    public void moved() {
        if (watch != null) {
            watch.freeze();
        }
    }

    @Override
    public void ended(Report report) {
        Watch w = watch;
        if (w == null) {
            return;
        }
        Picture picture = w.end(
                new RunEnd(
                        report.seconds(),
                        report.gbPerSecond(),
                        report.verify(),
                        report.verifiedBytes(),
                        report.mismatchedBytes(),
                        report.firstMismatch()),
                limits,
                judgesPerformance);
        verdicts = picture.verdicts();
        if (!judgesPerformance) {
            picture.disagreements().forEach(d -> System.err.println("sluice: KERNEL DISAGREES: " + d.detail()));
        }
    }

    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
