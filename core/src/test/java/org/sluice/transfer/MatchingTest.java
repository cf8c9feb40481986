package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

final class MatchingTest {
    private static final Completion NOBODY = new Completion() {
        @Override
        public void done(long startedAt) {}

        @Override
        public void failed(SluiceException why) {}
    };
    private static final long NO_TAG = -1;

    private final List<String> said = new ArrayList<>();
    private final Matching matching = new Matching(
            (t, send) -> said.add(t.id + " meets " + send.announcement.id()),
            (t, why) -> said.add(t.id + " misses: " + why));
    private long sends;
    private long receives;

    private long announce(long tag) {
        long id = sends++;
        int flags = tag == NO_TAG ? 0 : Announcement.TAGGED;
        matching.announced(new Announced(new Announcement(id, 1, 1, 0, flags, tag), null, null, null));
        return id;
    }

    private InboundTransfer receive(long tag) {
        TransferOptions options = tag == NO_TAG ? TransferOptions.NONE : TransferOptions.tagged(tag);
        InboundTransfer t = new InboundTransfer(
                receives++, PieceMap.range(new MemoryBlock(Nowhere.INSTANCE, 0), 0, 1), null, options, NOBODY);
        matching.receive(t);
        return t;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("the n-th meets the n-th, of each tag, whatever is cancelled meanwhile")
    void asListsOfAll(long seed) {
        record Send(long id, EndReason[] why) {}
        Random random = new Random(seed);
        Map<Long, ArrayDeque<Send>> waiting = new HashMap<>();
        Map<Long, ArrayDeque<Long>> asked = new HashMap<>();
        Map<Long, Send> byId = new HashMap<>();
        int tags = 1 + random.nextInt(5);
        int patience = 1 + random.nextInt(4);
        for (int n = 0; n < 20_000; n++) {
            long tag = random.nextInt(tags) - 1L;
            ArrayDeque<Send> sent = waiting.computeIfAbsent(tag, t -> new ArrayDeque<>());
            ArrayDeque<Long> wanted = asked.computeIfAbsent(tag, t -> new ArrayDeque<>());
            List<String> expected = new ArrayList<>();
            said.clear();
            int what = random.nextInt(4 + patience);
            if (what < 2) {
                if (wanted.isEmpty()) {
                    Send send = new Send(sends, new EndReason[] {EndReason.NONE});
                    sent.add(send);
                    byId.put(send.id, send);
                } else {
                    expected.add(wanted.remove() + " meets " + sends);
                }
                announce(tag);
            } else if (what < 4) {
                Send send = sent.poll();
                if (send == null) {
                    wanted.add(receives);
                } else if (send.why[0] == EndReason.NONE) {
                    expected.add(receives + " meets " + send.id);
                    byId.remove(send.id);
                } else {
                    expected.add(receives + " misses: " + send.why[0]);
                }
                receive(tag);
            } else if (sends > 0) {
                long id = Math.max(0, sends - 1 - random.nextInt(30));
                EndReason why = random.nextBoolean() ? EndReason.CANCELLED : EndReason.DEADLINE;
                Announced cancelled = matching.cancel(id, why);
                Send send = byId.remove(id);
                assertThat(cancelled == null ? null : cancelled.announcement.id())
                        .isEqualTo(send == null ? null : send.id);
                if (send != null) {
                    send.why[0] = why;
                }
            }
            assertThat(said).isEqualTo(expected);
        }
        List<Long> left = new ArrayList<>();
        matching.drain(t -> left.add(t.id));
        assertThat(left)
                .containsExactlyInAnyOrderElementsOf(
                        asked.values().stream().flatMap(ArrayDeque::stream).toList());
    }

    @Test
    @DisplayName("any number of cancelled sends costs little, and each still has its receive")
    void cancelledInTurn() {
        for (int n = 0; n < 200_000; n++) {
            matching.cancel(announce(NO_TAG), n % 2 == 0 ? EndReason.CANCELLED : EndReason.DEADLINE);
        }
        announce(NO_TAG);
        assertThat(matching.places()).isLessThan(5000);
        for (int n = 0; n < 200_000; n++) {
            receive(NO_TAG);
        }
        assertThat(said).hasSize(200_000).allMatch(s -> s.contains("misses"));
        receive(NO_TAG);
        assertThat(said.getLast()).isEqualTo("200000 meets 200000");
        assertThat(matching.places()).isZero();
    }

    @Test
    @DisplayName("of cancelled sends with tags of their own the latest are remembered")
    void cancelledTags() {
        for (int n = 0; n < 10_000; n++) {
            matching.cancel(announce(n), EndReason.CANCELLED);
        }
        assertThat(matching.places()).isEqualTo(Matching.MOST_CANCELLED_TAGS);
        receive(9999);
        assertThat(said).containsExactly("0 misses: CANCELLED");
        assertThat(receive(0).unmatched).isTrue();
        announce(0);
        assertThat(said.getLast()).isEqualTo("1 meets 10000");
    }
}
