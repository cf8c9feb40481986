package org.sluice.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sluice.Buckets;
import org.sluice.Latencies;

class LatencyHistogramTest {
    private static final double[] SHARES = {0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1};

    /** Durations as they come in practice, and as they do not. */
    static Stream<Arguments> durations() {
        return LongStream.range(0, 40).boxed().flatMap(seed -> {
            Random random = new Random(seed);
            int count = 1 + random.nextInt(5000);
            return Stream.of(
                    Arguments.of("uniform to 100 us", seed, values(count, i -> random.nextLong(100_000))),
                    Arguments.of("log-uniform to 1 min", seed, values(count, i ->
                            (long) Math.exp(random.nextDouble() * Math.log(6e10)))),
                    Arguments.of("a few of each power", seed, values(count, i -> 1L << random.nextInt(37))),
                    Arguments.of(
                            "bimodal",
                            seed,
                            values(
                                    count,
                                    i -> random.nextInt(50) == 0
                                            ? 40_000_000 + random.nextLong(1_000_000)
                                            : 80_000 + random.nextLong(2_000))));
        });
    }

    private static long[] values(int count, LongUnaryOperator of) {
        return LongStream.range(0, count)
                .map(of)
                .map(v -> Math.min(v, Buckets.LIMIT - 1))
                .toArray();
    }

    @ParameterizedTest(name = "{0}, seed {1}")
    @MethodSource("durations")
    void everyQuantileIsTheExactOneOrLessThanA32ndAboveIt(String shape, long seed, long[] values) {
        LatencyHistogram histogram = new LatencyHistogram();
        for (long v : values) {
            histogram.record(v);
        }
        long[] sorted = values.clone();
        Arrays.sort(sorted);
        Latencies l = histogram.snapshot();
        assertThat(l.count()).isEqualTo(values.length);
        assertThat(l.max()).isEqualTo(sorted[sorted.length - 1]);
        assertThat(l.sum()).isEqualTo(Arrays.stream(values).sum());
        for (double share : SHARES) {
            long exact = sorted[(int) Math.max(1, Math.ceil(share * sorted.length)) - 1];
            assertThat(l.quantile(share)).as("share %s", share).isBetween(exact, exact + exact / 32);
        }
    }

    @Test
    void bucketsFollowEachOtherWithoutGapOrOverlap() {
        for (int b = 0; b < Buckets.COUNT; b++) {
            long longest = Buckets.longest(b);
            assertThat(Buckets.of(longest)).isEqualTo(b);
            if (b + 1 < Buckets.COUNT) {
                assertThat(Buckets.of(longest + 1)).isEqualTo(b + 1);
            }
        }
        assertThat(Buckets.longest(Buckets.COUNT - 1)).isEqualTo(Buckets.LIMIT - 1);
    }

    @Test
    void whatIsTooLongOrNegativeIsCountedAtTheEnds() {
        LatencyHistogram histogram = new LatencyHistogram();
        histogram.record(-5);
        histogram.record(3 * Buckets.LIMIT);
        Latencies l = histogram.snapshot();
        assertThat(l.count()).isEqualTo(2);
        assertThat(l.quantile(0.5)).isZero();
        assertThat(l.quantile(1)).isEqualTo(3 * Buckets.LIMIT);
    }

    @Test
    void snapshotsAddUp() {
        LatencyHistogram one = new LatencyHistogram();
        LatencyHistogram two = new LatencyHistogram();
        LatencyHistogram both = new LatencyHistogram();
        Random random = new Random(7);
        for (int i = 0; i < 10_000; i++) {
            long v = random.nextLong(1_000_000);
            (i % 3 == 0 ? one : two).record(v);
            both.record(v);
        }
        Latencies sum = one.snapshot().plus(two.snapshot());
        assertThat(sum.count()).isEqualTo(10_000);
        assertThat(sum.sum()).isEqualTo(both.snapshot().sum());
        for (double share : SHARES) {
            assertThat(sum.quantile(share)).isEqualTo(both.snapshot().quantile(share));
        }
        assertThat(sum.atMost(Long.MAX_VALUE)).isEqualTo(10_000);
        assertThat(sum.atMost(500_000)).isBetween(4_500L, 5_500L);
    }

    @Test
    void nothingCountedIsZeroEverywhere() {
        assertThat(Latencies.NONE.quantile(0.99)).isZero();
        assertThat(Latencies.NONE.mean()).isZero();
        assertThatThrownBy(() -> Latencies.NONE.quantile(1.1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Latencies.NONE.quantile(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aReaderMayLookWhileTheWriterCounts() throws InterruptedException {
        LatencyHistogram histogram = new LatencyHistogram();
        int count = 2_000_000;
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < count; i++) {
                histogram.record(i & 0xFFFF);
            }
        });
        long seen = 0;
        while (writer.isAlive()) {
            long now = histogram.snapshot().count();
            assertThat(now).isGreaterThanOrEqualTo(seen);
            seen = now;
        }
        writer.join();
        assertThat(histogram.snapshot().count()).isEqualTo(count);
    }
}
