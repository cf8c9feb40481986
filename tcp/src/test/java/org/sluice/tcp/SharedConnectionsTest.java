package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;

/** Channels of all links between two nodes share the connections of a rail, and do not disturb each other there. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SharedConnectionsTest {
    private static final int LINKS = 16;
    private static final int CHANNELS = 2;

    private Ends ends;

    @BeforeEach
    void open() throws TransportException {
        ends = new Ends();
    }

    @AfterEach
    void close() throws TransportException {
        ends.close();
    }

    private static List<String> ioThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(n -> n.matches("lo1-(tx|rx)-\\d+"))
                .sorted()
                .toList();
    }

    @Test
    void sixteenLinksHaveTheConnectionsAndThreadsOfOne() throws Exception {
        List<Ends.Pair> all = new ArrayList<>();
        List<String> threadsOfOne = List.of();
        for (int link = 0; link < LINKS; link++) {
            for (int channel = 0; channel < CHANNELS; channel++) {
                Ends.Pair pair = ends.pair(link, channel);
                all.add(pair);
                ends.move(pair, all.size() * 10_000L, 10_000);
            }
            threadsOfOne = link == 0 ? ioThreads() : threadsOfOne;
        }
        assertThat(all.stream().map(Ends.Pair::connection).distinct())
                .as("connections of %d channels", all.size())
                .hasSize(CHANNELS);
        assertThat(threadsOfOne).isNotEmpty();
        assertThat(ioThreads()).isEqualTo(threadsOfOne);
        assertThat(ends.wrong(10_000, (all.size() + 1) * 10_000L)).isEqualTo(-1);
    }

    @Test
    void aConnectionIsThereForTheNextLink() throws Exception {
        Ends.Pair first = ends.pair(0, 0);
        String connection = first.connection();
        ends.move(first, 0, 1000);
        first.sender().close();
        first.receiver().close();
        Ends.Pair next = ends.pair(1, 0);
        ends.move(next, 1000, 1000);
        assertThat(next.connection()).isEqualTo(connection);
        assertThat(ends.wrong(0, 2000)).isEqualTo(-1);
    }

    @Test
    void eachChannelKeepsItsOrderHoweverTheyInterleave() throws Exception {
        int channels = 4;
        int messages = 300;
        Random random = new Random(11);
        List<Ends.Pair> pairs = new ArrayList<>();
        for (int c = 0; c < channels; c++) {
            pairs.add(ends.pair(c, 0));
        }
        assertThat(pairs.stream().map(Ends.Pair::connection).distinct()).hasSize(1);
        long[][] at = new long[channels][messages + 1];
        for (int c = 0; c < channels; c++) {
            at[c][0] = c * (2L << 20);
            for (int m = 0; m < messages; m++) {
                at[c][m + 1] = at[c][m] + 1 + random.nextInt(random.nextInt(4) == 0 ? 20_000 : 300);
            }
        }
        int[] received = new int[channels];
        int[] sent = new int[channels];
        int[] done = new int[channels];
        int[] left = new int[channels];
        ends.until("all messages", () -> {
            for (int c = 0; c < channels; c++) {
                Ends.Pair p = pairs.get(c);
                while (received[c] < messages
                        && ends.receive(p, at[c][received[c]], at[c][received[c] + 1] - at[c][received[c]])) {
                    received[c]++;
                }
                while (sent[c] < received[c] && ends.send(p, at[c][sent[c]], at[c][sent[c] + 1] - at[c][sent[c]])) {
                    sent[c]++;
                }
                while (p.sender().test() != Channel.PENDING) {
                    left[c]++;
                }
                while (p.receiver().test() != Channel.PENDING) {
                    done[c]++;
                }
            }
            return Arrays.stream(done).allMatch(d -> d == messages)
                    && Arrays.stream(left).allMatch(d -> d == messages);
        });
        for (int c = 0; c < channels; c++) {
            assertThat(ends.wrong(at[c][0], at[c][messages])).isEqualTo(-1);
            assertThat(ends.isUntouched(at[c][messages], at[c][messages] + 1000))
                    .isTrue();
        }
    }

    @Test
    void aChannelThatClosesInTheMiddleOfItsChunksLeavesTheOthersAlone() throws Exception {
        Ends.Pair stays = ends.pair(0, 0);
        long big = 1 << 20;
        for (int round = 0; round < 8; round++) {
            Ends.Pair goes = ends.pair(1, 0);
            assertThat(goes.connection()).isEqualTo(stays.connection());
            for (int i = 0; i < 4; i++) {
                assertThat(ends.receive(goes, i * big, big)).isTrue();
                assertThat(ends.receive(stays, (4 + i) * big, big)).isTrue();
                assertThat(ends.send(goes, i * big, big)).isTrue();
                assertThat(ends.send(stays, (4 + i) * big, big)).isTrue();
            }
            if (round % 2 == 0) {
                goes.sender().close();
            }
            goes.receiver().close();
            Ends.bytes(ends.target).asSlice(0, 4 * big).fill(Ends.UNTOUCHED);
            goes.sender().close();
            for (int i = 0; i < 4; i++) {
                ends.await(stays.sender());
                ends.await(stays.receiver());
            }
            assertThat(ends.wrong(4 * big, 8 * big)).isEqualTo(-1);
            assertThat(ends.isUntouched(0, 4 * big)).isTrue();
            Ends.bytes(ends.target).asSlice(4 * big).fill(Ends.UNTOUCHED);
        }
    }

    @Test
    void whatNobodyAskedForEndsItsChannelAndStallsNoOther() throws Exception {
        Ends.Pair asked = ends.pair(0, 0);
        Ends.Pair unasked = ends.pair(1, 0);
        assertThat(unasked.connection()).isEqualTo(asked.connection());
        for (int i = 0; i < 8; i++) {
            assertThat(ends.send(unasked, i * 1000L, 1000)).isTrue();
        }
        ends.await(unasked.sender()); // what is sent on the same connection now comes later
        ends.move(asked, 100_000, 500_000);
        assertThat(ends.wrong(100_000, 600_000)).isEqualTo(-1);
        assertThat(ends.receive(unasked, 0, 1000)).isTrue();
        assertThat(ends.awaitBroken(unasked.receiver())).contains("where nothing was awaited");
        assertThat(ends.isUntouched(0, 100_000)).isTrue();
    }
}
