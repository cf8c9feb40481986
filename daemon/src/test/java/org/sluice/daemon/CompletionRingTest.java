package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A ring whose daemon does only what it is rung for, as one that sleeps. */
final class CompletionRingTest {
    private static final int ENTRIES = 16;
    private static final int TEXT_BYTES = 64 << 10;
    private static final int ROUNDS = 2000;
    private static final long NOTE_BYTES = 1 << 20;
    private static final Key SOMEBODY = new Key(1, 2);

    private Area area;
    private CompletionRing ring;
    private long head;

    @BeforeEach
    void make() throws Exception {
        area = Area.of(new Hello(true, false, SOMEBODY, 1, ENTRIES, 0, TEXT_BYTES, "test"));
        ring = new CompletionRing(area, () -> {}, NOTE_BYTES);
    }

    @AfterEach
    void free() {
        ring.close();
        area.close();
    }

    /** What a client does that takes what it was told. @return its notifications */
    private List<byte[]> take() {
        List<byte[]> notes = new ArrayList<>();
        long tail = area.longAcquire(Protocol.COMPLETION_TAIL);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entry = arena.allocate(Protocol.COMPLETION_BYTES, 8);
            for (; head < tail; head++) {
                long slot = head & 2 * ENTRIES - 1;
                area.copyOut(area.completions() + slot * Protocol.COMPLETION_BYTES, entry, Protocol.COMPLETION_BYTES);
                if (entry.get(ValueLayout.JAVA_INT, 8) == Protocol.NOTE) {
                    notes.add(area.copyOut(entry.get(ValueLayout.JAVA_LONG, 24), entry.get(ValueLayout.JAVA_INT, 32)));
                }
            }
        }
        area.longRelease(Protocol.COMPLETION_HEAD, head);
        return notes;
    }

    /** Whether the daemon wants to be rung, and rings it. */
    private boolean ringWhereWanted() {
        if (area.intAcquire(Protocol.ROOM_WANTED) == 0) {
            return false;
        }
        area.intRelease(Protocol.ROOM_WANTED, 0);
        ring.flush();
        return true;
    }

    private static byte[] note(int length, int what) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) what);
        return bytes;
    }

    @Test
    @DisplayName("a client that empties its ring and rings where that is wanted gets every notification that waited")
    void allThatWait() {
        int many = 10 * ENTRIES;
        for (int i = 0; i < many; i++) {
            assertThat(ring.note(note(8, i), SOMEBODY)).isTrue();
        }
        List<byte[]> got = new ArrayList<>();
        do {
            got.addAll(take());
        } while (ringWhereWanted());
        assertThat(got).hasSize(many);
        for (int i = 0; i < many; i++) {
            assertThat(got.get(i)).isEqualTo(note(8, i));
        }
        assertThat(area.intAcquire(Protocol.ROOM_WANTED))
                .as("nothing waits, so nobody has to ring")
                .isZero();
    }

    @Test
    @DisplayName("notifications of any length come through room for their text of little more than the longest")
    void textsOfAnyLength() {
        int[] lengths = {10_000, Quotas.MOST_NOTE, 1, 40_000, Quotas.MOST_NOTE, Quotas.MOST_NOTE, 7, 50_000};
        for (int i = 0; i < lengths.length; i++) {
            assertThat(ring.note(note(lengths[i], i), SOMEBODY)).isTrue();
            assertThat(take()).as("note " + i).containsExactly(note(lengths[i], i));
        }
    }

    @Test
    @DisplayName("no room is overlooked that a client makes at the moment when a notification begins to wait")
    void roomAtThatMoment() throws Exception {
        AtomicInteger got = new AtomicInteger();
        AtomicInteger bell = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        Thread client = Thread.ofPlatform().start(() -> {
            while (!over.get()) {
                int taken = take().size();
                got.addAndGet(taken);
                VarHandle.fullFence();
                if (taken > 0 && area.intAcquire(Protocol.ROOM_WANTED) != 0) {
                    area.intRelease(Protocol.ROOM_WANTED, 0);
                    bell.incrementAndGet();
                }
            }
        });
        try {
            int sent = 0;
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < ENTRIES + 1; i++) {
                    assertThat(ring.note(note(0, 0), SOMEBODY)).isTrue();
                    sent++;
                }
                sleepUntil(got, sent, bell);
            }
        } finally {
            over.set(true);
            client.join();
        }
    }

    /** As the daemon does: it flushes when it is rung, and else does nothing. */
    @SuppressWarnings("ThreadPriorityCheck") // the client needs a CPU of perhaps two
    private void sleepUntil(AtomicInteger got, int sent, AtomicInteger bell) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (got.get() < sent) {
            if (bell.getAndSet(0) > 0) {
                ring.flush();
            }
            assertThat(System.nanoTime())
                    .as("waiting for " + (sent - got.get()) + " of " + sent + " notifications")
                    .isLessThan(end);
            Thread.yield();
        }
    }
}
