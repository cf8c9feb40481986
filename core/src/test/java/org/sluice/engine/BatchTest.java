package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.BitSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.Batch;
import org.sluice.ClosedException;
import org.sluice.Completions;
import org.sluice.Layout;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

/** Transfers that are posted with one call and whose ends are polled. */
final class BatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final TransferOptions NONE = TransferOptions.NONE;

    @Test
    @DisplayName("every end of many batches comes once, with its token; the bytes are there when it does")
    void manyOfEachKind() {
        try (LinkedNodes nodes = new LinkedNodes(Duration.ofSeconds(20));
                Region here = nodes.client().allocate(0, 1 << 16);
                Region there = nodes.server().allocate(0, 1 << 16);
                PreparedLayout mine = nodes.out().prepare(Layout.range(here, 0, 64));
                PreparedRemoteLayout yours = nodes.out().prepare(RemoteLayout.range(there.remoteKey(), 128, 64))) {
            here.fill(0, 1 << 16, 5);
            Batch batch = new Batch();
            Completions ends = new Completions(7);
            BitSet seen = new BitSet();
            int posted = 0;
            for (int n = 0; n < 40; n++) {
                for (int i = 0; i < 10; i++) {
                    batch.write(mine, yours, NONE, posted++);
                    batch.write(
                            Layout.range(here, 0, 5000),
                            RemoteLayout.range(there.remoteKey(), 0, 5000),
                            NONE,
                            posted++);
                    batch.read(
                            Layout.range(here, 40_000, 8), RemoteLayout.range(there.remoteKey(), 0, 8), NONE, posted++);
                    batch.send(Layout.range(here, 0, 9), NONE, posted++);
                    nodes.in().receive(Layout.range(there, 60_000, 9), NONE);
                }
                nodes.out().post(batch);
                assertThat(batch.size()).isZero();
            }
            while (seen.cardinality() < posted) {
                assertThat(nodes.out().poll(ends, PATIENCE)).isBetween(1, 7);
                for (int i = 0; i < ends.size(); i++) {
                    assertThat(ends.failure(i)).isNull();
                    assertThat(ends.endedAt(i)).isGreaterThanOrEqualTo(ends.startedAt(i));
                    assertThat(seen.get((int) ends.token(i))).isFalse();
                    seen.set((int) ends.token(i));
                }
            }
            assertThat(nodes.out().poll(ends)).isZero();
            assertThat(nodes.out().poll(ends, Duration.ofMillis(1))).isZero();
            assertThat(there.mismatch(192, 4800, 5)).isEqualTo(-1);
            assertThat(there.mismatch(60_000, 8, 5)).isNotEqualTo(-1); // sent from 0, not from there
        }
    }

    @Test
    @DisplayName(
            "what fails comes with its reason; a batch with one that cannot be posts none; a link's end fails the rest")
    void failures() {
        LinkedNodes nodes = new LinkedNodes(Duration.ofSeconds(20));
        try (nodes) {
            Region here = nodes.client().allocate(0, 4096);
            Region there = nodes.server().allocate(0, 4096);
            Batch batch = new Batch();
            Completions ends = new Completions(16);
            batch.write(Layout.all(here), RemoteLayout.range(there.remoteKey(), 1, 4096), NONE, 1);
            batch.write(Layout.all(here), RemoteLayout.all(there.remoteKey()), NONE, 2);
            nodes.out().post(batch);
            int refused = 0;
            for (int n = 0; n < 2; n += ends.size()) {
                assertThat(nodes.out().poll(ends, PATIENCE)).isPositive();
                for (int i = 0; i < ends.size(); i++) {
                    SluiceException why = ends.failure(i);
                    refused += why instanceof RemoteAccessException ? 1 : 0;
                    assertThat(why == null).isEqualTo(ends.token(i) == 2);
                }
            }
            assertThat(refused).isEqualTo(1);
            batch.send(Layout.all(here), NONE, 3);
            batch.send(Layout.range(here, 0, 5000), NONE, 4);
            assertThatThrownBy(() -> nodes.out().post(batch)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(nodes.out().poll(ends)).isZero();
            batch.clear();
            batch.receive(Layout.all(here), NONE, 5);
            nodes.out().post(batch);
            nodes.out().close();
            assertThat(nodes.out().poll(ends, PATIENCE)).isEqualTo(1);
            assertThat(ends.failure(0)).isInstanceOf(ClosedException.class);
            batch.receive(Layout.all(here), NONE, 6);
            nodes.out().post(batch);
            assertThat(nodes.out().poll(ends, PATIENCE)).isEqualTo(1);
            assertThat(ends.token(0)).isEqualTo(6);
            here.close();
        }
    }
}
