package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferOptions;

/** Transfers of no bytes, in every form that a layout has: they end well, tell what they carry, and the link goes on. */
final class EmptyLayoutTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Every way to say nothing of a region. */
    private static List<Layout> local(Region r) {
        return List.of(
                Layout.list().build(),
                Layout.list().add(r, 0, 0).add(r, r.size(), 0).build(),
                Layout.range(r, r.size(), 0),
                Layout.blocks(r, 0, 64),
                Layout.blocks(r, 8, 0, 3, 3, 9),
                Layout.strided(r, 0, 0, 64, 5),
                Layout.strided(r, 0, 64, 64, 0),
                Layout.strided(r, 0, 64, 64, 2, 256, 0));
    }

    private static List<RemoteLayout> remote(RemoteRegion r) {
        return List.of(
                RemoteLayout.list().build(),
                RemoteLayout.list().add(r, 0, 0).add(r, r.size(), 0).build(),
                RemoteLayout.range(r, r.size(), 0),
                RemoteLayout.blocks(r, 0, 64),
                RemoteLayout.blocks(r, 8, 0, 3, 3, 9),
                RemoteLayout.strided(r, 0, 0, 64, 5),
                RemoteLayout.strided(r, 0, 64, 64, 0),
                RemoteLayout.strided(r, 0, 64, 64, 2, 256, 0));
    }

    private static void told(Link who, byte[] what) throws Exception {
        assertThat(who.nextNotification().get(20, TimeUnit.SECONDS).bytes()).isEqualTo(what);
    }

    @Test
    @DisplayName("no bytes: each form on each side, written, read and sent, with a notification that arrives")
    void everyForm() throws Exception {
        try (LinkedNodes nodes = new LinkedNodes(Duration.ofSeconds(10));
                Region here = nodes.client().allocate(0, 4096);
                Region there = nodes.server().allocate(0, 4096)) {
            byte n = 0;
            for (Layout mine : local(here)) {
                for (RemoteLayout yours : remote(there.remoteKey())) {
                    byte[] word = {n++};
                    nodes.out()
                            .write(mine, yours, TransferOptions.notifying(word))
                            .await(PATIENCE);
                    told(nodes.in(), word);
                    nodes.out()
                            .read(mine, yours, TransferOptions.notifying(word))
                            .await(PATIENCE);
                    told(nodes.in(), word);
                }
            }
            for (Layout mine : local(here)) {
                for (Layout yours : local(there)) {
                    byte[] word = {n++};
                    var received = nodes.in().receive(yours, TransferOptions.NONE);
                    nodes.out().send(mine, TransferOptions.notifying(word)).await(PATIENCE);
                    received.await(PATIENCE);
                    told(nodes.in(), word);
                }
            }
            assertThat(Stream.of(nodes.out(), nodes.in()).map(l -> l.ended().isDone()))
                    .containsOnly(false);
        }
    }

    @Test
    @DisplayName("bytes between pieces of none: they are moved, and what lies beside them is not")
    void someForms() {
        try (LinkedNodes nodes = new LinkedNodes(Duration.ofSeconds(10));
                Region here = nodes.client().allocate(0, 4096);
                Region there = nodes.server().allocate(0, 4096)) {
            here.fill(0, 4096, 1);
            there.fill(0, 4096, 2);
            Layout mine = Layout.list()
                    .add(here, 4096, 0)
                    .add(here, 64, 1)
                    .add(here, 65, 63)
                    .add(here, 0, 0)
                    .build();
            RemoteLayout yours = RemoteLayout.list()
                    .add(there.remoteKey(), 64, 64)
                    .add(there.remoteKey(), 64, 0)
                    .build();
            nodes.out().write(mine, yours, TransferOptions.NONE).await(PATIENCE);
            assertThat(there.mismatch(64, 64, 1)).isEqualTo(-1);
            assertThat(there.mismatch(0, 64, 2)).isEqualTo(-1);
            assertThat(there.mismatch(128, 4096 - 128, 2)).isEqualTo(-1);
        }
    }
}
