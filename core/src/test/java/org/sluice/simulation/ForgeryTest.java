package org.sluice.simulation;

import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.MessageId;

/** A peer that says what it may not: the link ends with a protocol error, or the lie does no harm; memory is never touched late. */
final class ForgeryTest {
    private static final int SEEDS = Integer.getInteger("simulation.seeds", 500);
    private static final long FIRST = Long.getLong("simulation.first", 0);

    private static final List<TransferRefusal> REFUSALS =
            List.of(TransferRefusal.LENGTH, TransferRefusal.KEY, TransferRefusal.BOUNDS, TransferRefusal.OVERLAP);

    private static long id(Random random) {
        long count = random.nextInt(20) == 0 ? random.nextLong() >>> 2 : random.nextInt(6);
        return MessageId.of(random.nextInt(20) == 0 ? 3 : random.nextInt(3), count);
    }

    private static long number(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> -1;
            case 1 -> Long.MAX_VALUE;
            case 2 -> Long.MIN_VALUE;
            case 3 -> random.nextLong();
            default -> random.nextInt(100);
        };
    }

    private static Announcement announcement(Random random) {
        return new Announcement(
                id(random), number(random), number(random), random.nextInt(9), random.nextInt(32), random.nextInt(3));
    }

    private static RemoteRegion region(Random random, long key) {
        return new RemoteRegion(random.nextInt(8) == 0 ? 1 : 0, key, 0);
    }

    private static RemoteLayout layout(Random random, long key) {
        int[] indices = new int[random.nextInt(6)];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = random.nextInt(10);
        }
        return RemoteLayout.blocks(region(random, key), random.nextInt(10), random.nextInt(20), indices);
    }

    private static void lie(LinkEngine to, Random random) {
        int channel = random.nextInt(8) - 1;
        int generation = random.nextInt(10) == 0 ? random.nextInt(1 << 16) : random.nextInt(2);
        long key = 1000L + 10L * random.nextInt(12) + random.nextInt(3);
        switch (random.nextInt(17)) {
            case 0 -> to.requests().onOpen(announcement(random), 1);
            case 1 ->
                to.requests().onWrite(announcement(random), region(random, key), number(random), random.nextInt(3), 1);
            case 2 ->
                to.requests().onRead(announcement(random), region(random, key), number(random), random.nextInt(3));
            case 3, 4 -> to.requests().onGrant(id(random), number(random), number(random), channel, generation);
            case 5 -> to.requests().onLanded(id(random));
            case 6 ->
                to.requests().onRefused(id(random), REFUSALS.get(random.nextInt(REFUSALS.size())), number(random));
            case 9 -> to.requests().onCancel(id(random), EndReason.CANCELLED);
            case 10 -> to.requests().onEnded(id(random), EndReason.DEADLINE);
            case 11 -> to.requests().onNotification(new byte[4]);
            case 12 -> to.requests().onTaken(number(random));
            case 13 -> to.requests().onBytes(MemorySegment.ofArray(new byte[1 + random.nextInt(20)]));
            case 14 -> {
                int number = random.nextInt(4);
                to.requests().onPrepare(number);
                if (random.nextInt(4) != 0) {
                    to.requests().onLayout(random.nextInt(10) == 0 ? 3 : number, layout(random, key));
                }
            }
            case 15 -> to.requests().onRelease(random.nextInt(4));
            case 16 ->
                to.requests()
                        .onSelection(
                                random.nextInt(8),
                                random.nextInt(4),
                                (int) number(random),
                                IntBuffer.wrap(
                                        random.ints(random.nextInt(6), -1, 8).toArray()));
            case 7 -> to.requests().onLayout(random.nextInt(3), layout(random, key));
            default -> to.onChannelDown(random.nextBoolean(), channel, generation, "forged");
        }
    }

    @Test
    @DisplayName("whatever a peer says at whatever time, only the link ends, and nothing is read or written after")
    void lies() {
        for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
            Random random = new Random(seed);
            new Simulation(seed, Scenario.draw(random).withLies()).runWithLies(engine -> lie(engine, random));
        }
    }
}
