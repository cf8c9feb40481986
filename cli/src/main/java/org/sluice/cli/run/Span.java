package org.sluice.cli.run;

/** Wall clock of transfers that overlap: from the first start to the last end, added up over parts that are closed. */
final class Span {
    private long first = Long.MAX_VALUE;
    private long last = Long.MIN_VALUE;
    private long closedNanos;

    /** @param started, ended as {@link System#nanoTime} */
    synchronized void add(long started, long ended) {
        first = Math.min(first, started);
        last = Math.max(last, ended);
    }

    /** Ends a part; the time until the next begins does not count. */
    synchronized void close() {
        if (last > first) {
            closedNanos += last - first;
        }
        first = Long.MAX_VALUE;
        last = Long.MIN_VALUE;
    }

    /** Of the closed parts. */
    synchronized double seconds() {
        return closedNanos / 1e9;
    }
}
