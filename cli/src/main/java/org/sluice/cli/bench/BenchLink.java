package org.sluice.cli.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.sluice.Batch;
import org.sluice.Completions;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.NotDoneException;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.common.HostMemoryCheck;
import org.sluice.cli.common.LoopbackRails;
import org.sluice.cli.run.Verification;

/**
 * The measuring side with one setting: a link, a region to write from, and one to read back into, so that the peer needs no
 * program of its own beyond sharing memory. One thread.
 */
final class BenchLink implements AutoCloseable {
    /** The part of the measured time that is run before, untimed: sockets, windows and the JVM's compiler settle. */
    private static final int WARM_UP_PART = 4;

    /** Slowest that a transfer may be before it counts as stuck, beyond the deadline. */
    private static final long SLOWEST_BYTES_PER_SECOND = 10_000_000;

    private final Node node;
    private final Link link;
    private final Region from;
    private final Region back;
    private final RemoteRegion to;
    private final BenchSetting setting;
    private final BenchWork work;
    private final Duration deadline;
    private long seed;
    private int sequence;

    private BenchLink(
            Node node, Link link, Region from, Region back, RemoteRegion to, BenchSetting setting, BenchWork work) {
        this.work = work;
        this.node = node;
        this.link = link;
        this.from = from;
        this.back = back;
        this.to = to;
        this.setting = setting;
        this.deadline = node.config().timeouts().deadline();
    }

    /** @param config of a node whose peer shares a region of {@code bytes} */
    static BenchLink connect(NodeConfig config, String host, long bytes, BenchSetting setting, BenchWork work) {
        Node node = Node.open(config);
        try {
            if (node.backend().equals("host")) {
                int regions = host.equals(LoopbackRails.HOST) ? 3 : 2; // the server's is on this machine too
                HostMemoryCheck.needs(
                        bytes > Long.MAX_VALUE / regions ? Long.MAX_VALUE : bytes * regions,
                        regions + " regions of " + Bytes.text(bytes));
            }
            Link link = node.connect(0, host);
            RemoteRegion to = link.remoteRegion(BenchServer.REGION)
                    .orTimeout(config.timeouts().deadline().toMillis(), TimeUnit.MILLISECONDS)
                    .join();
            return new BenchLink(node, link, node.allocate(0, bytes), node.allocate(0, bytes), to, setting, work);
        } catch (CompletionException e) {
            node.close();
            throw new LinkException(host + " shares no memory for the benchmark: run 'sluice bench --serve' there", e);
        } catch (RuntimeException e) {
            node.close();
            throw e;
        }
    }

    /** Moves transfers of a size for about so long, then reads the last one back and compares it. */
    BenchPoint measure(long size, Duration about, int underWay) {
        seed++;
        BenchWork.Orders orders = work.orders(size, seed);
        from.fill(0, size, seed);
        if (work.op() == BenchWork.Op.READ) {
            await(link.write(from, 0, size, to, 0), size);
        } else if (work.op() == BenchWork.Op.SEND) {
            link.note(BenchServer.receive(size, seed, work));
        }
        sequence = 0;
        try (BenchSides sides = new BenchSides(link, work, orders, from, back, to, seed)) {
            Times _ = move(sides, size, about.toNanos() / WARM_UP_PART, underWay);
            long begin = System.nanoTime();
            Times times = move(sides, size, about.toNanos(), underWay);
            long took = System.nanoTime() - begin;
            int last = sequence;
            Times _ = move(sides, size, 0, 1); // alone: of two at once, either may be what is there in the end
            if (work.op() != BenchWork.Op.READ) {
                back.fill(0, size, -seed);
                // each block to where it came from
                await(link.read(sides.local(back, last), sides.remote(to, last), TransferOptions.NONE), size);
            }
            long wrong = Verification.compare(back, size, seed, 0).mismatched();
            return BenchPoint.of(size, setting, times.nanos(), times.beginNanos(), took, wrong);
        }
    }

    /** What is known of the transfers of one run. */
    private record Times(long[] nanos, long[] beginNanos) {}

    /** Posts in batches and polls, as a program that has much to do would. */
    private Times move(BenchSides sides, long size, long about, int underWay) {
        Batch batch = new Batch();
        Completions ends = new Completions(underWay);
        Duration slowest = deadline.plusSeconds(size / SLOWEST_BYTES_PER_SECOND);
        long[] called = new long[256];
        long[] nanos = new long[256];
        long[] begins = new long[256];
        int begun = 0;
        int ended = 0;
        long end = System.nanoTime() + about;
        boolean more = true;
        while (more || ended < begun) {
            for (; more && begun - ended < underWay; begun++) {
                if (begun == called.length) {
                    called = Arrays.copyOf(called, begun * 2);
                    nanos = Arrays.copyOf(nanos, begun * 2);
                    begins = Arrays.copyOf(begins, begun * 2);
                }
                called[begun] = System.nanoTime();
                sides.add(batch, sequence++, begun);
            }
            if (batch.size() > 0) {
                link.post(batch);
            }
            if (link.poll(ends, slowest) == 0) {
                throw new NotDoneException(link.peer() + " ended none of " + (begun - ended) + " transfers of " + size
                        + " bytes within " + slowest.toSeconds() + " s");
            }
            for (int i = 0; i < ends.size(); i++, ended++) {
                SluiceException why = ends.failure(i);
                if (why != null) {
                    throw why;
                }
                int n = (int) ends.token(i);
                nanos[n] = ends.endedAt(i) - called[n];
                begins[n] = ends.startedAt(i) - called[n];
            }
            more = System.nanoTime() < end;
        }
        return new Times(Arrays.copyOf(nanos, ended), Arrays.copyOf(begins, ended));
    }

    private void await(Transfer transfer, long size) {
        transfer.await(deadline.plusSeconds(size / SLOWEST_BYTES_PER_SECOND));
    }

    @Override
    public void close() {
        link.close();
        node.close();
    }
}
