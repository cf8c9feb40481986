package org.sluice.cli.run;

import java.util.function.Consumer;
import org.sluice.LinkingStep;
import org.sluice.LinkingStep.Begun;
import org.sluice.LinkingStep.Ended;
import org.sluice.LinkingStep.GpuDone;

/** Prints the steps of making links in the seed's words, line by line. */
record SeedSteps(Consumer<String> line) implements Consumer<LinkingStep> {
    @Override
    public void accept(LinkingStep step) {
        switch (step) {
            case Begun b -> line.accept((b.server() ? "[SERVER] " : "[CLIENT] ") + title(b));
            case GpuDone d -> line.accept("[GPU " + d.gpu() + "] " + done(d));
            case Ended ended -> line.accept("");
        }
    }

    private static String title(Begun b) {
        return switch (b.phase()) {
            case LISTEN -> "Step 1: Listening on all GPUs...";
            case BOOTSTRAP -> (b.server() ? "Step 2" : "Step 1") + ": Bootstrap handshake...";
            case ACCEPT -> "Step 3: Accepting connections...";
            case CONNECT -> "Step 2: Connecting to server...";
        };
    }

    private static String done(GpuDone d) {
        return switch (d.phase()) {
            case LISTEN -> "Listening on " + d.channels() + " channels";
            case BOOTSTRAP -> (d.server() ? "Sent " : "Received ") + d.channels() + " handles";
            case ACCEPT -> "Accepted " + d.channels() + " connections";
            case CONNECT -> "Connected " + d.channels() + " channels";
        };
    }
}
