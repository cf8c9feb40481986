package org.sluice.transfer;

import java.util.List;

/** Where the bytes of a transfer lie in the peer's memory, as it said; the blocks stay open until {@link #release}. */
final class PullSource {
    final PieceMap map;
    private final PulledMemory memory;
    private final List<Integer> numbers;
    private final Runnable end;
    private boolean released;

    PullSource(PieceMap map, PulledMemory memory, List<Integer> numbers, Runnable end) {
        this.map = map;
        this.memory = memory;
        this.numbers = numbers;
        this.end = end;
        numbers.forEach(memory::use);
    }

    /** Idempotent. */
    void release() {
        if (!released) {
            released = true;
            numbers.forEach(memory::release);
            end.run();
        }
    }
}
