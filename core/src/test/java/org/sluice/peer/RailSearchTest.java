package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/** The order, the pace and the end of a search, told by a clock that is turned by hand. */
class RailSearchTest {
    private static final long START = -5; // near the sign, as the clock may be
    private long now = START;

    private static RemoteNic nic(int place, String... addresses) {
        return new RemoteNic("eth" + place, List.of(addresses), 0, place);
    }

    private static List<RemoteNic> side(int nics, int host) {
        List<RemoteNic> all = new ArrayList<>();
        for (int n = 0; n < nics; n++) {
            all.add(nic(n, "10." + n + ".0." + host + "/24"));
        }
        return all;
    }

    private Rail next(RailSearch search) {
        now += RailSearch.PACE_NANOS;
        return search.next(now);
    }

    @Test
    void neighboursComeFirstThenRoutedPairs() {
        RailSearch search = new RailSearch(side(3, 1), side(3, 2));
        List<Rail> order = new ArrayList<>();
        for (Rail r = next(search); r != null; r = next(search)) {
            order.add(r);
        }
        assertThat(order).hasSize(9);
        assertThat(order.subList(0, 3)).allMatch(r -> r.server() == r.client());
        assertThat(order.subList(3, 6)).extracting(Rail::server).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(order.subList(3, 6)).extracting(Rail::client).containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    void startsAreOneMillisecondApartAndCapped() {
        RailSearch search = new RailSearch(side(16, 1), side(16, 2));
        assertThat(search.next(now)).isNotNull();
        assertThat(search.next(now)).isNull();
        assertThat(search.waitNanos(now)).isEqualTo(RailSearch.PACE_NANOS);
        int running = 1;
        while (next(search) != null) {
            running++;
        }
        assertThat(running).isEqualTo(RailSearch.MOST_RUNNING);
        assertThat(search.waitNanos(now)).isEqualTo(-1);
    }

    @Test
    void whenEveryNicHasARailNobodyWaits() {
        RailSearch search = new RailSearch(side(2, 1), side(2, 2));
        Rail first = next(search);
        Rail second = next(search);
        assertThat(search.proven(first, now)).isTrue();
        assertThat(search.isSettled(now)).isFalse();
        assertThat(search.proven(second, now)).isTrue();
        assertThat(search.isSettled(now)).isTrue();
        assertThat(search.rails()).containsExactlyInAnyOrder(first, second);
        assertThat(search.idle(true)).isEmpty();
    }

    @Test
    void stragglersHaveTheirTimeAfterTheFirstProof() {
        RailSearch search = new RailSearch(side(2, 1), side(2, 2));
        Rail first = next(search);
        Rail second = next(search);
        assertThat(search.settleNanos(now)).isEqualTo(-1);
        search.proven(first, now);
        assertThat(search.settleNanos(now)).isEqualTo(RailSearch.SETTLE_NANOS);
        now += RailSearch.SETTLE_NANOS - 1;
        assertThat(search.isSettled(now)).isFalse();
        now++;
        assertThat(search.isSettled(now)).isTrue();
        assertThat(search.rails()).containsExactly(first);
        assertThat(search.expected()).containsExactly(second);
        assertThat(search.idle(false).get(second.client())).contains("eth1 10.1.0.2 > eth1 10.1.0.1 has not answered");
        assertThat(search.proven(second, now)).isTrue();
        assertThat(search.rails()).hasSize(2);
        assertThat(search.expected()).isEmpty();
    }

    @Test
    void stragglersThatKeepComingAreWaitedForButNotForLong() {
        RailSearch search = new RailSearch(side(8, 1), side(8, 2));
        Rail[] rails = new Rail[8];
        for (int n = 0; n < 8; n++) {
            rails[n] = next(search);
        }
        long first = now;
        search.proven(rails[0], now);
        for (int n = 1; n < 7; n++) {
            now += RailSearch.STRAGGLE_NANOS - 1;
            assertThat(search.isSettled(now)).isFalse();
            search.proven(rails[n], now);
        }
        now += RailSearch.STRAGGLE_NANOS;
        assertThat(search.isSettled(now)).as("seven came, and no more").isTrue();
        assertThat(now - first).isLessThan(RailSearch.MOST_SETTLE_NANOS);
    }

    @Test
    void whatFailedIsTriedAgainEverMoreSeldomWhileItsNicReachesNobody() {
        RailSearch search = new RailSearch(side(1, 1), side(1, 2));
        Rail only = next(search);
        search.failed(only, "does not answer", now);
        assertThat(search.isExhausted()).isTrue();
        assertThat(search.isSettled(now)).isFalse();
        assertThat(search.idle(true).get(0)).endsWith("does not answer");
        assertThat(next(search)).isNull();
        now += TimeUnit.SECONDS.toNanos(1);
        assertThat(search.next(now)).isEqualTo(only);
        search.failed(only, "does not answer", now);
        assertThat(search.waitNanos(now)).isEqualTo(TimeUnit.SECONDS.toNanos(2));
        now += TimeUnit.SECONDS.toNanos(2);
        assertThat(search.next(now)).isEqualTo(only);
        search.proven(only, now);
        assertThat(search.next(now + TimeUnit.DAYS.toNanos(1))).isNull();
    }

    @Test
    void aPairOfNicsThatWorksIsNotTriedOverItsOtherAddresses() {
        var server = List.of(nic(0, "10.0.0.1/24", "fd00::1/64", "fe80::1/64"));
        var client = List.of(nic(0, "10.0.0.2/24", "fd00::2/64", "fe80::2/64"));
        RailSearch search = new RailSearch(server, client);
        Rail first = next(search);
        assertThat(first).isEqualTo(new Rail(0, 0, 0, 0));
        search.proven(first, now);
        assertThat(next(search)).isNull();
    }

    @Test
    void anAddressThatBothHostsHaveIsNotTried() {
        var both = List.of(nic(0, "10.9.0.1/24"), nic(1, "127.0.0.1/8"));
        assertThat(new RailSearch(both, both).isEmpty()).isTrue();
    }

    @Test
    void linkLocalAddressesAreTriedAmongThemselvesAndLast() {
        var server = List.of(nic(0, "10.0.0.1/24", "fe80::1/64"), nic(1, "10.0.0.3/24", "fe80::3/64"));
        var client = List.of(nic(0, "10.0.0.2/24", "fe80::2/64"));
        RailSearch search = new RailSearch(server, client);
        List<Rail> order = new ArrayList<>();
        for (Rail r = next(search); r != null; r = next(search)) {
            order.add(r);
        }
        assertThat(order)
                .containsExactly(
                        new Rail(0, 0, 0, 0), new Rail(1, 0, 0, 0), new Rail(0, 0, 1, 1), new Rail(1, 0, 1, 1));
    }

    @Test
    void eightNicsOfOneSubnetAreDoneAfterEightProofs() {
        List<RemoteNic> server = new ArrayList<>();
        List<RemoteNic> client = new ArrayList<>();
        for (int n = 0; n < 8; n++) {
            server.add(nic(n, "10.0.0." + (1 + n) + "/24"));
            client.add(nic(n, "10.0.0." + (101 + n) + "/24"));
        }
        RailSearch search = new RailSearch(server, client);
        Set<Rail> tried = new HashSet<>();
        while (!search.isSettled(now)) {
            Rail r = next(search);
            assertThat(tried.add(r)).isTrue();
            search.proven(r, now);
        }
        assertThat(tried).hasSize(8);
    }
}
