package org.sluice.cli.matrix;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result; with {@code --json} it is the document, and the page draws it. Rates are 10^9 bytes a second of payload.
 *
 * @param pass whether nothing stands out, no rate is below what was expected, and no byte is wrong
 * @param startedAt ISO-8601
 * @param rounds of the tournament, {@code roundsAgain} in which what looked bad was measured again
 * @param secondsEach what each direction of each pair was measured for
 * @param expectedGbPerSecond null where nothing was expected
 * @param belowExpected directions below it
 * @param rate over all directions, {@code latency} likewise, microseconds
 * @param underLoad all pairs at once; null where that was not asked for
 * @param ways by sender, then receiver
 */
record MatrixReport(
        boolean pass,
        String startedAt,
        int nodes,
        int rounds,
        int roundsAgain,
        double secondsEach,
        String memory,
        int gpus,
        long bytesVerified,
        long bytesWrong,
        @Nullable Double expectedGbPerSecond,
        int belowExpected,
        Spread rate,
        Spread latencyMicros,
        List<Finding> findings,
        @Nullable Load underLoad,
        List<Member> members,
        List<Way> ways) {

    /**
     * A node, as it describes itself.
     *
     * @param name what its machine is called
     * @param backend {@code host} or {@code cuda}
     * @param gpu the model of its first GPU
     */
    record Member(int rank, String name, String backend, String gpu, int gpus, List<String> nics) {
        Member {
            nics = List.copyOf(nics);
        }
    }

    record Spread(double least, double median, double most) {
        static Spread of(double[] values) {
            double least = Double.MAX_VALUE;
            double most = 0;
            for (double v : values) {
                least = Math.min(least, v);
                most = Math.max(most, v);
            }
            return new Spread(values.length == 0 ? 0 : least, Robust.median(values), most);
        }
    }

    /** All pairs at once. @param gbPerSecond of all together */
    record Load(double gbPerSecond, List<NodeLoad> nodes, List<Way> ways) {}

    record NodeLoad(int rank, double sendsGbPerSecond, double receivesGbPerSecond) {}
}
