package org.sluice.cli.matrix;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.sluice.ErrorCode;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Where;

/** Links that other ranks have made to this one, by who they say they are. Any thread. */
final class Inbox {
    private static final String FORM = "sluice-matrix/1 rank ";
    private static final int MOST_DIGITS = 5;

    private final Map<Integer, BlockingQueue<Link>> byRank = new ConcurrentHashMap<>();

    /** What a rank's links say of themselves. */
    static byte[] note(int rank) {
        return (FORM + rank).getBytes(StandardCharsets.UTF_8);
    }

    /** A link that was made to this rank. One of a stranger is closed. */
    void take(Link link) {
        String note = new String(link.offeredNote(), StandardCharsets.UTF_8);
        String rank = note.startsWith(FORM) ? note.substring(FORM.length()) : "";
        if (rank.isEmpty() || rank.length() > MOST_DIGITS || !rank.chars().allMatch(Character::isDigit)) {
            link.close();
            return;
        }
        of(Integer.parseInt(rank)).add(link);
    }

    private BlockingQueue<Link> of(int rank) {
        return byRank.computeIfAbsent(rank, r -> new LinkedBlockingQueue<>());
    }

    /** Waits for a rank's links to all GPUs. @return by GPU */
    List<Link> await(int rank, int gpus, Duration atMost) {
        Link[] all = new Link[gpus];
        long end = System.nanoTime() + atMost.toNanos();
        try {
            for (int have = 0; have < gpus; ) {
                Link link = of(rank).poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (link == null) {
                    throw new LinkException(
                            ErrorCode.UNREACHABLE,
                            Where.NOWHERE.phase(Where.Phase.BOOTSTRAP),
                            "rank " + rank + " made " + have + " of " + gpus + " links within " + atMost.toSeconds()
                                    + " s");
                }
                // one that has ended is of an earlier try
                if (!link.ended().isDone() && link.gpu() < gpus) {
                    have += all[link.gpu()] == null ? 1 : 0;
                    all[link.gpu()] = link;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LinkException(
                    ErrorCode.INTERRUPTED, Where.NOWHERE, "interrupted while waiting for rank " + rank, e);
        }
        return Arrays.asList(all);
    }
}
