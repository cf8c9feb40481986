package org.sluice.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Faults planted in random matrices: they are named, and nothing else is. */
class OutliersTest {
    private static final int SEEDS = 20;

    /** A cluster of the mind: what a rail between two NICs carries and loses, with noise. */
    private static final class Mind {
        final Random random;
        final int nodes;
        final int nics;
        final double noise;
        final double[][][] sends; // by node, NIC and direction: share of the usual rate
        final double[][][] loses;
        final double[][][] path; // by node, node, NIC
        final boolean[][] failed;

        Mind(long seed, int nodes, int nics, double noise) {
            this.random = new Random(seed);
            this.nodes = nodes;
            this.nics = nics;
            this.noise = noise;
            sends = new double[nodes][nics][2];
            loses = new double[nodes][nics][2];
            path = new double[nodes][nodes][nics];
            failed = new boolean[nodes][nodes];
            for (double[][] n : sends) {
                for (double[] d : n) {
                    d[0] = 1;
                    d[1] = 1;
                }
            }
            for (double[][] n : path) {
                for (double[] d : n) {
                    Arrays.fill(d, 1);
                }
            }
        }

        int node() {
            return random.nextInt(nodes);
        }

        int other(int than) {
            int n = random.nextInt(nodes - 1);
            return n < than ? n : n + 1;
        }

        int nic() {
            return random.nextInt(nics);
        }

        void slow(int node, int nic, double share) {
            sends[node][nic][0] = share;
            sends[node][nic][1] = share;
        }

        List<Finding> findings() {
            List<Way> ways = new ArrayList<>();
            for (int a = 0; a < nodes; a++) {
                for (int b = 0; b < nodes; b++) {
                    if (a == b) {
                        continue;
                    }
                    if (failed[a][b] || failed[b][a]) {
                        ways.add(new Way(a, b, "no route", 0, 0, 0, 0, 0, List.of()));
                        continue;
                    }
                    List<Rail> rails = new ArrayList<>();
                    for (int n = 0; n < nics; n++) {
                        double share = Math.min(Math.min(sends[a][n][0], sends[b][n][1]), path[a][b][n]);
                        if (share < 0) {
                            continue; // there is no such rail
                        }
                        double rate = 10
                                * (nodes == 2 ? 1 : n + 1)
                                * share
                                * (1 + noise * random.nextGaussian()); // eth2 is a faster kind
                        long segments = (long) (rate * 1000);
                        double loss =
                                1e-5 + Math.max(loses[a][n][0], loses[b][n][1]) * (1 + 0.2 * random.nextGaussian());
                        rails.add(new Rail(
                                "eth" + n, "eth" + n, Math.max(0, rate), segments, Math.round(segments * loss)));
                    }
                    ways.add(new Way(
                            a,
                            b,
                            "",
                            rails.stream().mapToDouble(Rail::gbPerSecond).sum(),
                            10,
                            20,
                            1,
                            0,
                            rails));
                }
            }
            return Outliers.of(IntStream.range(0, nodes).mapToObj(i -> "h" + i).toList(), ways);
        }
    }

    @ParameterizedTest
    @CsvSource({"2,1,0.02", "2,4,0.05", "3,2,0.05", "4,2,0.05", "5,4,0.03", "16,2,0.06", "16,4,0.1", "24,4,0.05"})
    void nothingStandsOutOfNoise(int nodes, int nics, double noise) {
        for (int seed = 0; seed < SEEDS; seed++) {
            assertThat(new Mind(seed, nodes, nics, noise).findings())
                    .as("seed " + seed)
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"3,2,0.03,0.25", "4,2,0.05,0.25", "5,1,0.03,0.5", "16,2,0.06,0.25", "16,4,0.05,0.5", "24,4,0.02,0.75"})
    void aSlowNicIsNamed(int nodes, int nics, double noise, double share) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Mind mind = new Mind(seed, nodes, nics, noise);
            int node = mind.node();
            int nic = mind.nic();
            mind.slow(node, nic, share);
            List<Finding> found = mind.findings();
            assertThat(found).as("seed " + seed).hasSize(1);
            Finding f = found.getFirst();
            assertThat(f.what()).isEqualTo(Finding.What.NIC);
            assertThat(f.rank()).isEqualTo(node);
            assertThat(f.nic()).isEqualTo("eth" + nic);
            assertThat(f.direction()).isEqualTo("both");
            assertThat(f.share()).isBetween(share * 0.7, share * 1.2);
            assertThat(f.text()).contains("NIC eth" + nic + " of rank " + node + " (h" + node + ")");
        }
    }

    @Test
    void aNicThatIsSlowInOneDirectionIsNamedWithIt() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Mind mind = new Mind(seed, 8, 2, 0.05);
            mind.sends[3][1][seed % 2] = 0.4;
            List<Finding> found = mind.findings();
            assertThat(found).hasSize(1);
            assertThat(found.getFirst().direction()).isEqualTo(seed % 2 == 0 ? "sends" : "receives");
        }
    }

    @ParameterizedTest
    @CsvSource({"4,2,0.02", "6,1,0.01", "16,2,0.01", "16,2,0.05", "24,2,0.02"})
    void aLossyNicIsNamedBesideASlowOne(int nodes, int nics, double loss) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Mind mind = new Mind(seed, nodes, nics, 0.05);
            int slow = mind.node();
            int lossy = mind.other(slow);
            int slowNic = mind.nic();
            int lossyNic = mind.nic();
            mind.slow(slow, slowNic, 0.25);
            mind.loses[lossy][lossyNic][1] = loss;
            List<Finding> found = mind.findings();
            assertThat(found).as("seed " + seed + " " + found).hasSize(2);
            assertThat(found).anyMatch(f -> f.rank() == slow && ("eth" + slowNic).equals(f.nic()) && f.loss() == 0);
            assertThat(found)
                    .anyMatch(f -> f.rank() == lossy
                            && ("eth" + lossyNic).equals(f.nic())
                            && f.loss() > loss / 2
                            && f.direction().equals("receives")
                            && f.text().contains("of the segments that it is sent are sent again"));
        }
    }

    @ParameterizedTest
    @CsvSource({"3,2", "6,2", "16,4"})
    void aSlowPathIsNamedAndNeitherOfItsNics(int nodes, int nics) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Mind mind = new Mind(seed, nodes, nics, 0.05);
            int a = mind.node();
            int b = mind.other(a);
            int nic = mind.nic();
            mind.path[a][b][nic] = 0.2;
            List<Finding> found = mind.findings();
            assertThat(found).as("seed " + seed + " " + found).hasSize(1);
            Finding f = found.getFirst();
            assertThat(f.what()).isEqualTo(Finding.What.PATH);
            assertThat(f.text())
                    .contains("the path from rank " + a + " (h" + a + ") eth" + nic + " to rank " + b + " (h" + b
                            + ") eth" + nic);
        }
    }

    @Test
    void aPathThatIsSlowBothWaysOverAllNicsIsOneFinding() {
        Mind mind = new Mind(1, 6, 3, 0.03);
        for (int n = 0; n < 3; n++) {
            mind.path[1][4][n] = 0.2;
            mind.path[4][1][n] = 0.2;
        }
        List<Finding> found = mind.findings();
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().text()).contains("the path between rank 1 (h1) and rank 4 (h4), all NICs");
    }

    @Test
    void ofTwoNodesThePathIsNamed() {
        Mind mind = new Mind(1, 2, 4, 0.03);
        mind.slow(1, 2, 0.25);
        List<Finding> found = mind.findings();
        assertThat(found).isNotEmpty().allMatch(f -> f.what() == Finding.What.PATH && "eth2".equals(f.nic()));
    }

    @Test
    void aNodeWhoseNicsAreAllSlowIsNamedAsAWhole() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Mind mind = new Mind(seed, 10, 4, 0.05);
            int node = mind.node();
            for (int n = 0; n < 4; n++) {
                mind.slow(node, n, 0.5);
            }
            List<Finding> found = mind.findings();
            assertThat(found).as("seed " + seed).hasSize(1);
            assertThat(found.getFirst().what()).isEqualTo(Finding.What.NODE);
            assertThat(found.getFirst().rank()).isEqualTo(node);
        }
    }

    @Test
    void severalBadNicsAreAllNamed() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Mind mind = new Mind(seed, 16, 4, 0.05);
            List<String> planted = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                mind.slow(3 * i, i, 0.25 + 0.1 * i);
                planted.add(3 * i + " eth" + i);
            }
            assertThat(mind.findings())
                    .extracting(f -> f.rank() + " " + f.nic())
                    .containsExactlyInAnyOrderElementsOf(planted);
        }
    }

    @Test
    void aNicWhoseRailsCouldNotBeMadeCarriesNothing() {
        Mind mind = new Mind(5, 8, 2, 0.03);
        mind.slow(2, 1, -1);
        mind.sends[2][0][0] = 1;
        List<Finding> found = mind.findings();
        // a NIC that no pair uses is not known by the rails; one that most use is missed
        assertThat(found).isEmpty();
        mind.slow(2, 1, 1);
        mind.path[2][5][1] = -1;
        found = mind.findings();
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().text())
                .contains("the path from rank 2 (h2) eth1 to rank 5 (h5) eth1: carries at 0 %");
    }

    @Test
    void pairsAndNodesThatCouldNotBeLinkedAreNamedWithTheReason() {
        Mind mind = new Mind(2, 6, 2, 0.03);
        mind.failed[1][4] = true;
        assertThat(mind.findings())
                .extracting(Finding::text)
                .containsExactly("rank 1 (h1) and rank 4 (h4) could not be measured: no route");
        for (int n = 0; n < 6; n++) {
            mind.failed[3][n] = true;
        }
        assertThat(mind.findings())
                .extracting(Finding::text)
                .containsExactly(
                        "rank 3 (h3) could not be measured with 5 of its 5 partners: no route",
                        "rank 1 (h1) and rank 4 (h4) could not be measured: no route");
    }

    @Test
    void whatIsMeasuredAgainCountsAtItsBest() {
        Way slow = new Way(
                0,
                1,
                "",
                3,
                10,
                20,
                5,
                0,
                List.of(new Rail("eth0", "eth0", 1, 1000, 50), new Rail("eth1", "eth1", 2, 1000, 0)));
        Way fast = new Way(
                0,
                1,
                "",
                4,
                12,
                15,
                5,
                0,
                List.of(new Rail("eth0", "eth0", 3, 900, 0), new Rail("eth1", "eth1", 1, 900, 90)));
        Way both = slow.again(fast);
        assertThat(both.gbPerSecond()).isEqualTo(4);
        assertThat(both.rails())
                .containsExactly(new Rail("eth0", "eth0", 3, 900, 0), new Rail("eth1", "eth1", 2, 1000, 0));
        assertThat(both.verified()).isEqualTo(10);
        Way none = new Way(0, 1, "timeout", 0, 0, 0, 0, 0, List.of());
        assertThat(none.again(slow)).isEqualTo(slow);
        assertThat(slow.again(none)).isEqualTo(slow);
    }
}
