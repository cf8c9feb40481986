package org.sluice.cli.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.common.Values;
import org.sluice.cli.watch.Context;
import org.sluice.cli.watch.FrontDoor;
import org.sluice.cli.watch.Limits;
import org.sluice.cli.watch.Picture;
import org.sluice.cli.watch.RunEnd;
import org.sluice.cli.watch.Watch;

/** Looks on while a job runs, from its thread, and says loudly where engine and kernel disagree about who carried what. */
public final class WatchedRun implements AutoCloseable {
    private final Watch.Outputs outputs;
    private final NodeConfig config;
    private final @Nullable Limits limits;
    private final Demands demands;
    private volatile @Nullable Watch watch;
    private volatile @Nullable FrontDoor door;

    /** @param limits by which performance is judged, null where it is not; @param demands what the run must not do without */
    public WatchedRun(Watch.Outputs outputs, NodeConfig config, @Nullable Limits limits, Demands demands) {
        this.outputs = outputs;
        this.config = config;
        this.limits = limits;
        this.demands = demands;
    }

    /** The process begins: from now on it answers who asks. @throws org.sluice.ConfigException when the address for that is taken */
    void open() {
        door = new FrontDoor(outputs.metrics(), outputs.json());
    }

    /** Another phase begins. @param waitingFor whom; empty for nobody */
    void phase(String name, String waitingFor) {
        FrontDoor d = door;
        if (d != null) {
            d.phase(name, waitingFor);
        }
    }

    /** All links are up, nothing has moved. @param name of the role */
    void begin(String name, Node node, List<Link> links, RunPlan plan) {
        long planned = plan.duration().isZero() ? plan.iters() * plan.bytesPerIteration(links.size()) : 0;
        Watch w = Watch.begin(
                outputs,
                node,
                links,
                new Context(name, config.network().transport(), planned, guarded(plan), configuration(node, plan)));
        watch = w;
        phase("running", "");
        FrontDoor d = door;
        if (d != null) {
            d.show(w);
        }
    }

    /** A run that verifies stands still between its iterations: its rate is judged in the end. */
    private double guarded(RunPlan plan) {
        return plan.verify() ? 0 : demands.gbPerSecond();
    }

    Demands demands() {
        return demands;
    }

    private List<Picture.Setting> configuration(Node node, RunPlan plan) {
        List<Picture.Setting> all = new ArrayList<>();
        all.add(new Picture.Setting("GPUs", node.gpus() + " × " + node.gpuName(0) + " (" + node.backend() + ")"));
        all.add(new Picture.Setting(
                "NICs",
                String.join(", ", node.nics().stream().map(n -> n.name()).toList())));
        all.add(new Picture.Setting("transport", config.network().transport()));
        all.add(new Picture.Setting(
                "channels per GPU", Integer.toString(config.link().channels())));
        all.add(new Picture.Setting("striping", Values.text(config.link().striping())));
        all.add(new Picture.Setting("chunk", Bytes.text(node.chunkBytes())));
        all.add(new Picture.Setting("window", node.window() + " chunks"));
        all.add(new Picture.Setting("size per GPU", Bytes.text(plan.size())));
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

    /** The last byte has landed; the links are still there. */
    void moved() {
        begun().freeze();
    }

    /** What the run came to is known. @return what was seen of it, with verdicts */
    Picture end(RunEnd end) {
        Picture picture = begun().end(end, limits);
        if (limits == null) { // else these verdicts are part of the result, as all are
            picture.disagreements().forEach(d -> System.err.println("sluice: KERNEL DISAGREES: " + d.detail()));
        }
        return picture;
    }

    private Watch begun() {
        return Objects.requireNonNull(watch, "nothing has begun");
    }

    /** Idempotent; any thread, since the user may stop the process. */
    @Override
    public void close() {
        Watch w = watch;
        if (w != null) {
            w.close();
        }
        FrontDoor d = door;
        if (d != null) {
            d.close();
        }
    }
}
