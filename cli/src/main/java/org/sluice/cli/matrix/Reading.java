package org.sluice.cli.matrix;

import java.time.Duration;
import java.util.ArrayDeque;
import org.sluice.Link;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.Transfer;

/**
 * Keeps reading a part of the partner's memory, over and over, until it is told to stop: as much under way as a fast rail needs, and no
 * more than a slow one ends soon. Runs on a thread of its own.
 */
final class Reading implements Runnable {
    /** Until the rate is known. */
    private static final long FIRST_PIECE = 512 << 10;

    private static final long LEAST_PIECE = 256 << 10;

    /** Reads at a time. */
    private static final int UNDER_WAY = 8;

    private final Link link;
    private final Region into;
    private final RemoteRegion from;
    private final long begin;
    private final long size;
    private final Duration atMost;
    private volatile boolean stopping;
    private volatile long piece;
    private long covered;

    /** @param begin of the part, in both memories, and {@code size} of it */
    Reading(Link link, Region into, RemoteRegion from, long begin, long size, Duration atMost) {
        this.link = link;
        this.into = into;
        this.from = from;
        this.begin = begin;
        this.size = size;
        this.atMost = atMost;
        this.piece = Math.min(FIRST_PIECE, size);
    }

    /** From now on pieces take about this long at this rate. */
    void pace(double bytesPerSecond, Duration each) {
        long wanted = (long) (bytesPerSecond * each.toNanos() / 1e9);
        long most = Math.max(LEAST_PIECE, size / UNDER_WAY);
        piece = Math.min(size, Math.clamp(wanted, LEAST_PIECE, most) / 4096 * 4096);
    }

    void stop() {
        stopping = true;
    }

    /** How much of the part, from its beginning, has been read at least once. To be asked after the end. */
    long covered() {
        return covered;
    }

    /** However busy the machine is, something is read and compared. */
    private boolean wanted() {
        return !stopping || covered == 0;
    }

    @Override
    public void run() {
        ArrayDeque<Transfer> underWay = new ArrayDeque<>();
        long at = 0;
        while (wanted() || !underWay.isEmpty()) {
            while (wanted() && underWay.size() < UNDER_WAY) {
                long length = Math.min(piece, size - at);
                underWay.add(link.read(into, begin + at, length, from, begin + at));
                at += length;
                covered = Math.max(covered, at);
                if (at == size) {
                    at = 0;
                }
            }
            if (!underWay.isEmpty()) {
                underWay.remove().await(atMost);
            }
        }
    }
}
