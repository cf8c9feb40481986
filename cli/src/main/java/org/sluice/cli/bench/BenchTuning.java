package org.sluice.cli.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * Looks for the best setting one dimension after the other: channels, then chunk, then window, each with the best of those
 * before. Candidates take turns for several rounds and are judged by their medians, so that a busy moment decides nothing.
 */
final class BenchTuning {
    private static final int ROUNDS = 3;

    private final Function<BenchSetting, BenchPoint> measure;
    private final List<BenchPoint> points = new ArrayList<>();

    BenchTuning(Function<BenchSetting, BenchPoint> measure) {
        this.measure = measure;
    }

    /** Every measurement, in order. */
    List<BenchPoint> points() {
        return List.copyOf(points);
    }

    BenchSetting best(List<Integer> channels, List<Long> chunks, List<Integer> windows, BenchSetting from) {
        BenchSetting one = bestOf(channels.stream()
                .map(c -> new BenchSetting(c, from.chunk(), from.window()))
                .toList());
        BenchSetting two = bestOf(chunks.stream()
                .map(c -> new BenchSetting(one.channels(), c, one.window()))
                .toList());
        return bestOf(windows.stream()
                .map(w -> new BenchSetting(two.channels(), two.chunk(), w))
                .toList());
    }

    private BenchSetting bestOf(List<BenchSetting> candidates) {
        if (candidates.size() == 1) {
            return candidates.getFirst();
        }
        double[][] seen = new double[candidates.size()][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            for (int c = 0; c < candidates.size(); c++) {
                BenchPoint point = measure.apply(candidates.get(c));
                points.add(point);
                seen[c][round] = point.algbw();
            }
        }
        int best = 0;
        for (int c = 1; c < seen.length; c++) {
            if (median(seen[c]) > median(seen[best])) {
                best = c;
            }
        }
        return candidates.get(best);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
