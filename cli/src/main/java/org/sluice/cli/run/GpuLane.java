package org.sluice.cli.run;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelStats;
import org.sluice.ClosedException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.PeerLostException;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;

/** One GPU's part of a run: its regions, its transfers, its times. Belongs to one thread at a time. */
final class GpuLane {
    /** How often a transfer under way is looked at for bytes that moved. */
    private static final Duration LOOK = Duration.ofMillis(500);

    private final Link link;
    private final @Nullable Region outbound;
    private final @Nullable Region inbound;
    private final RunPlan plan;
    private final Contents contents;
    private final int self;
    private final Duration patience;
    private final Span all;
    private final Span own = new Span();
    private final Queue<Transfer> underWay = new ArrayDeque<>();
    private Outcome outcome = Outcome.NONE;
    private long iterations;
    private long movedBytes;

    /**
     * @param outbound what this side sends, null if it only receives
     * @param contents the same on both sides
     * @param self 0 on the client, 1 on the server
     * @param patience longest time without a byte moving
     * @param all the wall clock of all GPUs together
     */
    GpuLane(
            Link link,
            @Nullable Region outbound,
            @Nullable Region inbound,
            RunPlan plan,
            Contents contents,
            int self,
            Duration patience,
            Span all) {
        this.link = link;
        this.outbound = outbound;
        this.inbound = inbound;
        this.plan = plan;
        this.contents = contents;
        this.self = self;
        this.patience = patience;
        this.all = all;
    }

    Link link() {
        return link;
    }

    long iterations() {
        return iterations;
    }

    /** Payload of the transfers that are done, both directions. */
    long movedBytes() {
        return movedBytes;
    }

    Outcome outcome() {
        return outcome;
    }

    double seconds() {
        return own.seconds();
    }

    /** Touches every page before the clock runs; the inbound content can be taken for no iteration's. */
    void prepare() {
        if (outbound != null) {
            outbound.fill(0, plan.size(), contents.sent(self, link.gpu(), -1));
        }
        clear();
    }

    private void clear() {
        if (inbound != null) {
            inbound.fill(0, plan.size(), Contents.nothing(self, link.gpu()));
        }
    }

    void fill(long iteration) {
        if (outbound != null) {
            outbound.fill(0, plan.size(), contents.sent(self, link.gpu(), iteration));
        }
        if (contents == Contents.ALWAYS_THE_SAME && iteration > 0) {
            clear();
        }
    }

    void receive() {
        if (inbound != null) {
            underWay.add(link.receive(inbound, 0, plan.size()));
        }
    }

    void send() {
        if (outbound != null) {
            underWay.add(link.send(outbound, 0, plan.size()));
        }
    }

    /** Waits until no more than so many transfers are under way. */
    void drainTo(int most) {
        while (underWay.size() > most) {
            Transfer t = underWay.remove();
            await(t);
            all.add(t.startedAt(), t.endedAt());
            own.add(t.startedAt(), t.endedAt());
            movedBytes += t.bytes();
        }
    }

    void endIteration() {
        iterations++;
    }

    /** What follows until the next transfer does not count as time. */
    void closeSpan() {
        own.close();
    }

    void compare(long iteration) {
        if (inbound != null) {
            long seed = contents.sent(1 - self, link.gpu(), iteration);
            outcome = outcome.plus(Verification.compare(inbound, plan.size(), seed, iteration));
        }
    }

    private void await(Transfer transfer) {
        long moved = -1;
        long movedAt = System.nanoTime();
        while (true) {
            try {
                transfer.future().get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
                return;
            } catch (ExecutionException e) {
                throw e.getCause() instanceof SluiceException s && !(s instanceof PeerLostException)
                        ? s
                        : new PeerLostException(
                                where() + ": a transfer of " + transfer.bytes() + " bytes failed: "
                                        + String.valueOf(e.getCause().getMessage()),
                                e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ClosedException("GPU " + link.gpu() + ": interrupted while waiting for a transfer", e);
            } catch (TimeoutException e) {
                long now =
                        link.channels().stream().mapToLong(ChannelStats::bytes).sum();
                if (now != moved) {
                    moved = now;
                    movedAt = System.nanoTime();
                } else if (System.nanoTime() - movedAt > patience.toNanos()) {
                    throw new LinkException(
                            where() + ": no byte has moved for " + patience.toSeconds() + " s while a transfer of "
                                    + transfer.bytes() + " bytes is under way",
                            e);
                }
            }
        }
    }

    /** As messages name it: GPU, channels, NICs, peer. */
    String where() {
        List<ChannelStats> channels = link.channels();
        List<String> nics =
                channels.stream().map(ChannelStats::nic).distinct().sorted().toList();
        return "GPU " + link.gpu() + ", channels 0-"
                + channels.stream().mapToInt(ChannelStats::index).max().orElse(0) + " over " + String.join(", ", nics)
                + ", peer " + link.peer();
    }
}
