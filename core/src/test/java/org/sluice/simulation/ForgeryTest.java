package org.sluice.simulation;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.TransferRefusal;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.MessageId;

/** A peer that says what it may not: the link ends with a protocol error, or the lie does no harm; memory is never touched late. */
final class ForgeryTest {
    private static final int SEEDS = Integer.getInteger("simulation.seeds", 1000);

    private static final List<TransferRefusal> REFUSALS =
            List.of(TransferRefusal.LENGTH, TransferRefusal.KEY, TransferRefusal.BOUNDS);

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

    private static void lie(LinkEngine to, Random random) {
        int channel = random.nextInt(8) - 1;
        int generation = random.nextInt(10) == 0 ? random.nextInt(1 << 16) : random.nextInt(2);
        long key = 1000L + random.nextInt(12);
        switch (random.nextInt(8)) {
            case 0 -> to.onOpen(id(random), number(random), 1);
            case 1 -> to.onWrite(id(random), random.nextInt(2), key, number(random), number(random), 1);
            case 2 -> to.onRead(id(random), random.nextInt(2), key, number(random), number(random));
            case 3, 4 -> to.onGrant(id(random), number(random), channel, generation);
            case 5 -> to.onLanded(id(random));
            case 6 -> to.onRefused(id(random), REFUSALS.get(random.nextInt(REFUSALS.size())), number(random));
            default -> to.onChannelDown(random.nextBoolean(), channel, generation, "forged");
        }
    }

    @Test
    @DisplayName("whatever a peer says at whatever time, only the link ends, and nothing is read or written after")
    void lies() {
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            new Simulation(seed, Scenario.draw(random).withLies()).runWithLies(engine -> lie(engine, random));
        }
    }
}
