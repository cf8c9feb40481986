package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.wire.SignsOfLife;

/** Signs of life of a peer with several links, by a clock that is turned by hand. */
final class PeerPulseTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long TICK = PeerPulse.tick(TIMEOUT);
    private static final long SECOND = 1_000_000_000;

    /** Near its end, as the clock may be. */
    private long now = Long.MAX_VALUE - 3 * SECOND;

    private final PeerPulse peer = new PeerPulse(TIMEOUT, now);
    private final List<Way> ways = new ArrayList<>();

    /** A link's connection; the peer answers at once, while the way is whole. */
    private final class Way implements SignsOfLife {
        final LinkPulse link = new LinkPulse(this, this::ringing);
        boolean dead;
        int beats;
        int looks;
        int rung;
        private long readAt = now;
        private long writtenAt = now;

        private void ringing() {
            rung++;
        }

        Way() {
            link.begin(peer, () -> looks++);
            peer.add(link);
            ways.add(this);
        }

        @Override
        public long readAt() {
            return readAt;
        }

        @Override
        public long writtenAt() {
            return writtenAt;
        }

        @Override
        public void beat(long at, long silentNanos) {
            beats++;
            writtenAt = at;
            readAt = dead ? readAt : at;
        }
    }

    private void seconds(int count) {
        for (long until = now + count * SECOND; until - now > 0; ) {
            now += TICK;
            peer.tick(now);
        }
    }

    private int beats() {
        return ways.stream().mapToInt(w -> w.beats).sum();
    }

    @Test
    @DisplayName(
            "after a break of this node's the peer's silence counts from its end, once until the peer is heard again")
    void breaks() {
        Way way = new Way();
        seconds(2);
        long before = peer.awakeSince(now);
        way.dead = true; // it sleeps too
        now += 4 * SECOND;
        assertThat(peer.awakeSince(now))
                .as("already before the timer has ticked")
                .isEqualTo(now);
        peer.tick(now);
        long awake = now;
        assertThat(awake - before).isGreaterThan(0);
        seconds(1);
        assertThat(peer.awakeSince(now)).isEqualTo(awake);
        now += 4 * SECOND;
        assertThat(peer.awakeSince(now)).as("nothing was heard since").isEqualTo(awake);
        peer.tick(now);
        assertThat(peer.awakeSince(now)).isEqualTo(awake);
        way.dead = false;
        seconds(2);
        now += 4 * SECOND;
        assertThat(peer.awakeSince(now)).isEqualTo(now);
    }

    @Test
    @DisplayName(
            "many links at rest say no more than few, each says something at times, and the agents of all are looked at")
    void atRest() {
        for (int i = 0; i < 8; i++) {
            new Way();
        }
        seconds(400);
        assertThat(beats()).isBetween(400, 520);
        assertThat(ways).allSatisfy(w -> assertThat(w.beats).isPositive());
        assertThat(ways).allSatisfy(w -> assertThat(w.looks).isEqualTo(1600));
        assertThat(now - ways.getFirst().link.heardAt()).isLessThanOrEqualTo(SECOND);
    }

    @Test
    @DisplayName("what any link says or hears counts for all")
    void counts() {
        Way busy = new Way();
        Way idle = new Way();
        for (int i = 0; i < 40; i++) {
            busy.writtenAt = now;
            busy.readAt = now;
            now += TICK;
            peer.tick(now);
        }
        assertThat(beats()).isZero();
        assertThat(idle.link.heardAt()).isEqualTo(busy.readAt);
    }

    @Test
    @DisplayName("where all but one way are dead the peer is still heard, and told")
    void oneWayIsWhole() {
        for (int i = 0; i < 8; i++) {
            new Way().dead = i != 5;
        }
        seconds(60);
        assertThat(ways.get(5).beats).isGreaterThan(50);
        assertThat(now - ways.get(0).link.heardAt()).isLessThan(2 * SECOND);
    }

    @Test
    @DisplayName(
            "a link that waits on a dead way is told so within half a second of its turn, and one that waits for nothing is not")
    void waitingOnADeadWay() {
        Way waiting = new Way();
        Way other = new Way();
        waiting.link.waits(true);
        seconds(5);
        assertThat(waiting.rung).isZero();
        assertThat(waiting.link.isSuspected()).isFalse();
        waiting.dead = true;
        other.dead = true;
        for (long until = now + SECOND * 3 / 4; until - now > 0; now += TICK) {
            peer.tick(now);
        }
        assertThat(waiting.rung).isEqualTo(1);
        assertThat(waiting.link.isSuspected()).isTrue();
        assertThat(other.rung).isZero();
        waiting.dead = false;
        seconds(1);
        assertThat(waiting.link.isSuspected()).as("it was heard again").isFalse();
    }

    @Test
    @DisplayName("those who wait are asked in turn, so that each dead way is found")
    void inTurn() {
        for (int i = 0; i < 4; i++) {
            new Way().link.waits(true);
        }
        ways.get(2).dead = true;
        seconds(4);
        assertThat(ways.get(2).link.isSuspected()).isTrue();
        assertThat(ways.get(0).link.isSuspected()).isFalse();
    }
}
