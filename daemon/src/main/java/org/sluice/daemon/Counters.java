package org.sluice.daemon;

import java.util.concurrent.atomic.LongAdder;

/** What one client's requests came to. Any thread. */
final class Counters {
    private final LongAdder requests = new LongAdder();
    private final LongAdder done = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder written = new LongAdder();
    private final LongAdder read = new LongAdder();
    private final LongAdder notes = new LongAdder();
    private final LongAdder notesLost = new LongAdder();

    void taken() {
        requests.increment();
    }

    void done(boolean reads, long bytes) {
        done.increment();
        (reads ? read : written).add(bytes);
    }

    void failed() {
        failed.increment();
    }

    void note(boolean kept) {
        (kept ? notes : notesLost).increment();
    }

    /** A snapshot. */
    ClientCounts counts() {
        return new ClientCounts(
                requests.sum(), done.sum(), failed.sum(), written.sum(), read.sum(), notes.sum(), notesLost.sum());
    }
}
