package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

class RailMatchingTest {
    private static final long GBIT = 1_000_000_000;

    private static RemoteNic nic(int place, long gigabits) {
        return new RemoteNic("eth" + place, List.of("10." + place + ".0.1/24"), gigabits * GBIT, place);
    }

    private static List<RemoteNic> nics(long... gigabits) {
        return IntStream.range(0, gigabits.length)
                .mapToObj(i -> nic(i, gigabits[i]))
                .toList();
    }

    private static RailCandidate pair(int server, int client, RailCandidate.Kind kind) {
        return new RailCandidate(
                new Rail(server, client, 0, 0), kind, false, 24, Math.floorMod(client - server, 8), server == client);
    }

    private static RailCandidate pair(int server, int client) {
        return pair(server, client, RailCandidate.Kind.SUBNET);
    }

    private static List<RailCandidate> everyPair(int servers, int clients) {
        List<RailCandidate> all = new ArrayList<>();
        for (int s = 0; s < servers; s++) {
            for (int c = 0; c < clients; c++) {
                all.add(pair(s, c));
            }
        }
        return all;
    }

    private static Rail rail(int server, int client) {
        return new Rail(server, client, 0, 0);
    }

    @Test
    void whereEveryNicReachesEveryOtherTheyMeetOneToOneByName() {
        assertThat(RailMatching.of(everyPair(3, 3), nics(10, 10, 10), nics(10, 10, 10)))
                .containsExactly(rail(0, 0), rail(1, 1), rail(2, 2));
    }

    @Test
    void aBetterPairMakesRoomWhereThatUsesOneNicMore() {
        // 0-0 is the best pair, but 1 reaches nobody else than 0
        var proven = List.of(pair(0, 0), pair(0, 1, RailCandidate.Kind.ROUTED), pair(1, 0, RailCandidate.Kind.ROUTED));
        assertThat(RailMatching.of(proven, nics(0, 0), nics(0, 0))).containsExactly(rail(0, 1), rail(1, 0));
    }

    @Test
    void oneFastNicFacesFourSlowOnes() {
        assertThat(RailMatching.of(everyPair(1, 4), nics(100), nics(25, 25, 25, 25)))
                .containsExactly(rail(0, 0), rail(0, 1), rail(0, 2), rail(0, 3));
        assertThat(RailMatching.of(everyPair(4, 1), nics(25, 25, 25, 25), nics(100)))
                .containsExactly(rail(0, 0), rail(1, 0), rail(2, 0), rail(3, 0));
    }

    @Test
    void whatIsLeftOverSharesThePartnerWithTheMostToSpare() {
        assertThat(RailMatching.of(everyPair(2, 4), nics(25, 100), nics(25, 25, 25, 25)))
                .containsExactly(rail(0, 0), rail(1, 1), rail(1, 2), rail(1, 3));
        assertThat(RailMatching.of(everyPair(2, 4), nics(0, 0), nics(0, 0, 0, 0)))
                .as("speeds unknown: evenly")
                .filteredOn(r -> r.server() == 0)
                .hasSize(2);
    }

    @Test
    void aVlanAndItsNicAreUsedOnce() {
        var server = List.of(
                new RemoteNic("eth0", List.of("10.0.0.1/24"), 0, 0),
                new RemoteNic("eth0.7", List.of("10.7.0.1/24"), 0, 0));
        assertThat(RailMatching.of(List.of(pair(0, 0), pair(1, 1)), server, nics(0, 0)))
                .as("both of the client's NICs share the one wire")
                .containsExactly(rail(0, 0), rail(1, 1));
        var client = List.of(
                new RemoteNic("eth0", List.of("10.0.0.2/24"), 0, 0),
                new RemoteNic("eth0.7", List.of("10.7.0.2/24"), 0, 0));
        assertThat(RailMatching.of(List.of(pair(0, 0), pair(1, 1)), server, client))
                .containsExactly(rail(0, 0));
    }

    @Test
    void everyNicThatReachesThePeerIsUsedAndNoPairThatWasNotProven() {
        Random random = new Random(42);
        for (int round = 0; round < 2000; round++) {
            int servers = 1 + random.nextInt(8);
            int clients = 1 + random.nextInt(8);
            List<RailCandidate> proven = new ArrayList<>(everyPair(servers, clients));
            proven.removeIf(p -> random.nextInt(3) != 0);
            List<Rail> rails = RailMatching.of(proven, nics(new long[servers]), nics(new long[clients]));
            Set<Integer> usedServers = new HashSet<>();
            Set<Integer> usedClients = new HashSet<>();
            rails.forEach(r -> {
                usedServers.add(r.server());
                usedClients.add(r.client());
            });
            for (RailCandidate p : proven) {
                assertThat(usedServers).contains(p.rail().server());
                assertThat(usedClients).contains(p.rail().client());
            }
            assertThat(proven.stream().map(RailCandidate::rail)).containsAll(rails);
            assertThat(rails).doesNotHaveDuplicates();
            assertThat(rails.size()).isLessThanOrEqualTo(servers + clients);
        }
    }
}
