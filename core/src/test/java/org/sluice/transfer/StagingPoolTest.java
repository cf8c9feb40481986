package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.host.HostGpuBackend;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;

final class StagingPoolTest {
    private static final long CHUNK = 64 << 10;

    private final Gpu gpu = new HostGpuBackend().open(0);
    private final CopyQueue queue = gpu.copyQueue(CopyQueue.Direction.TO_GPU, 4);
    private int rung;

    private StagingPool pool(long bytes) {
        return new StagingPool(gpu, () -> queue, bytes);
    }

    private StagingShare share(StagingPool pool, Object peer, long chunkBytes, int perChannel) {
        return pool.share(() -> rung++, peer, chunkBytes, perChannel);
    }

    /** As a link does in its turn: takes all it may, and waits for the rest. */
    private static List<Integer> takeAll(StagingShare link, int most) {
        List<Integer> taken = new ArrayList<>();
        while (taken.size() < most && link.mayTake()) {
            taken.add(link.take());
        }
        link.waits(taken.size() < most);
        return taken;
    }

    @ParameterizedTest
    @CsvSource({"4, 65536, 4", "9, 65536, 9", "17, 777, 17", "1, 65536, 4"})
    @DisplayName("slots lie apart, within memory that is pinned as it is needed and never beyond the bound")
    void slots(int wanted, long chunk, int slots) {
        StagingPool pool = pool(Math.max(wanted * chunk, 64 << 10));
        StagingShare link = share(pool, "a", chunk, 8);
        StagingShare other = share(pool, "b", chunk, 8);
        Set<Long> places = new HashSet<>();
        for (StagingShare l : List.of(link, other)) {
            for (int slot : takeAll(l, slots / 2)) {
                int extent = StagingPool.extentOf(slot);
                long at = l.address(slot) - l.extent(extent).address();
                assertThat(at).isBetween(0L, l.extent(extent).size() - l.slotBytes());
                assertThat(at % l.slotBytes()).isZero();
                places.add(l.address(slot));
            }
        }
        assertThat(places).hasSizeGreaterThanOrEqualTo(Math.min(4, slots)).doesNotHaveDuplicates();
        assertThat(pool.pinnedBytes()).isLessThanOrEqualTo(Math.max(wanted * chunk, 64 << 10));
        pool.close();
    }

    @Test
    @DisplayName("a chunk is never larger than a quarter of the bound, so that four slots are there")
    void small() {
        StagingPool pool = pool(64 << 10);
        assertThat(share(pool, "a", 1 << 20, 8).slotBytes()).isEqualTo(16 << 10);
        pool.close();
    }

    @Test
    @DisplayName("the first link decides how large slots are, and when the last has gone the next does")
    void sizes() {
        StagingPool pool = pool(1 << 20);
        StagingShare first = share(pool, "a", 4096, 8);
        StagingShare second = share(pool, "b", 8192, 8);
        assertThat(second.slotBytes()).isEqualTo(4096);
        first.close();
        second.close();
        assertThat(share(pool, "b", 8192, 8).slotBytes()).isEqualTo(8192);
        pool.close();
    }

    @Test
    @DisplayName("no peer has more than half, whatever it does with it, and each of many has two in turn")
    void peers() {
        StagingPool pool = pool(16 * CHUNK);
        StagingShare greedy = share(pool, "greedy", CHUNK, 8);
        StagingShare greedyToo = share(pool, "greedy", CHUNK, 8);
        assertThat(takeAll(greedy, 100)).hasSize(8);
        assertThat(takeAll(greedyToo, 100)).isEmpty();
        StagingShare other = share(pool, "other", CHUNK, 8);
        assertThat(takeAll(other, 100)).hasSize(5); // two at work: a third of sixteen each
        StagingShare third = share(pool, "third", CHUNK, 8);
        assertThat(takeAll(third, 2)).hasSize(2);
        pool.close();
    }

    @Test
    @DisplayName("what becomes free goes to who waits longest, and its agent is told")
    void turns() {
        StagingPool pool = pool(4 * CHUNK);
        StagingShare a = share(pool, "a", CHUNK, 8);
        StagingShare b = share(pool, "b", CHUNK, 8);
        StagingShare c = share(pool, "c", CHUNK, 8);
        List<Integer> ofA = takeAll(a, 2);
        List<Integer> ofB = takeAll(b, 2);
        assertThat(ofA).hasSize(2);
        assertThat(ofB).hasSize(2);
        assertThat(takeAll(c, 100)).isEmpty();
        assertThat(rung).isZero();
        a.giveBack(ofA.getFirst());
        assertThat(rung).isEqualTo(1);
        assertThat(b.mayTake()).as("b has what a peer may have").isFalse();
        assertThat(takeAll(a, 1)).as("c waits longer").isEmpty();
        assertThat(takeAll(c, 1)).hasSize(1);
        b.giveBack(ofB.getFirst());
        assertThat(b.mayTake()).as("a waits longer").isFalse();
        assertThat(takeAll(a, 1)).hasSize(1);
        pool.close();
    }

    @Test
    @DisplayName("a link that ends waits no more, and what its transport has kept is nobody's")
    void ends() {
        StagingPool pool = pool(4 * CHUNK);
        StagingShare a = share(pool, "a", CHUNK, 8);
        StagingShare b = share(pool, "b", CHUNK, 8);
        assertThat(takeAll(a, 2)).hasSize(2);
        assertThat(takeAll(b, 1)).hasSize(1);
        b.waits(true);
        b.close();
        a.close();
        StagingShare c = share(pool, "c", CHUNK * 2, 8);
        assertThat(c.slotBytes()).isEqualTo(CHUNK);
        assertThat(takeAll(c, 100)).hasSize(1);
        c.close();
        pool.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("however links come, work and go, nobody starves while others work, and no slot is lost or lent twice")
    void random(int seed) {
        Random random = new Random(seed);
        int slots = 4 + random.nextInt(12);
        StagingPool pool = pool(slots * CHUNK);
        int links = 1 + random.nextInt(12);
        List<StagingShare> shares = new ArrayList<>();
        List<ArrayDeque<Integer>> held = new ArrayList<>();
        int[] wants = new int[links];
        int[] starved = new int[links];
        Set<Integer> lent = new HashSet<>();
        for (int n = 0; n < links; n++) {
            shares.add(share(pool, random.nextInt(4), CHUNK, 8));
            held.add(new ArrayDeque<>());
        }
        for (int round = 0; round < 2000; round++) {
            for (int n = 0; n < links; n++) {
                if (random.nextInt(20) == 0) {
                    wants[n] += random.nextInt(20);
                }
                for (int give = random.nextInt(4); give > 0 && !held.get(n).isEmpty(); give--) {
                    int slot = held.get(n).remove();
                    assertThat(lent.remove(slot)).isTrue();
                    shares.get(n).giveBack(slot);
                }
                List<Integer> taken = takeAll(shares.get(n), wants[n]);
                taken.forEach(slot -> assertThat(lent.add(slot)).isTrue());
                held.get(n).addAll(taken);
                starved[n] = wants[n] == 0 || !taken.isEmpty() ? 0 : starved[n] + 1;
                wants[n] -= taken.size();
                assertThat(starved[n]).as("rounds without a slot").isLessThan(200);
            }
        }
        shares.forEach(StagingShare::close);
        pool.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("links that have a turn only when they are rung for never wait for a slot that is there for them")
    void rung(int seed) {
        Random random = new Random(seed);
        StagingPool pool = pool((4 + random.nextInt(12)) * CHUNK);
        int links = 2 + random.nextInt(12);
        List<StagingShare> shares = new ArrayList<>();
        List<ArrayDeque<Integer>> held = new ArrayList<>();
        int[] wants = new int[links];
        Set<Integer> toTurn = new HashSet<>();
        for (int n = 0; n < links; n++) {
            int own = n;
            shares.add(pool.share(() -> toTurn.add(own), random.nextInt(4), CHUNK, 8));
            held.add(new ArrayDeque<>());
        }
        for (int round = 0; round < 5000; round++) {
            int n = random.nextInt(links);
            if (random.nextBoolean()) {
                wants[n] = random.nextInt(3) == 0 ? 0 : wants[n] + random.nextInt(4); // some are cancelled
                toTurn.add(n);
            } else if (!held.get(n).isEmpty()) {
                shares.get(n).giveBack(held.get(n).remove());
            }
            while (!toTurn.isEmpty()) {
                int turned = toTurn.iterator().next();
                toTurn.remove(turned);
                List<Integer> taken = takeAll(shares.get(turned), wants[turned]);
                held.get(turned).addAll(taken);
                wants[turned] -= taken.size();
            }
            for (int w = 0; w < links; w++) {
                assertThat(wants[w] > 0 && shares.get(w).mayTake())
                        .as("link %d waits for a slot that it may take, in round %d", w, round)
                        .isFalse();
            }
        }
        shares.forEach(StagingShare::close);
        pool.close();
    }
}
