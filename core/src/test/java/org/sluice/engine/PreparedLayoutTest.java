package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.IntBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.Access;
import org.sluice.ErrorCode;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;

/** Layouts that are told once and posted many times, over a real link in memory. */
final class PreparedLayoutTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int BLOCKS = 3000;
    private static final int BLOCK = 40;
    private static final int BYTES = BLOCKS * BLOCK;

    private LinkedNodes nodes;
    private Region here;
    private Region there;
    private final Random random = new Random(7);

    @BeforeEach
    void open() {
        nodes = new LinkedNodes(Duration.ofSeconds(20));
        here = nodes.client().allocate(0, BYTES);
        there = nodes.server().allocate(0, BYTES);
    }

    @AfterEach
    void close() {
        nodes.close(); // with the regions: an owner may be a moment behind the reader
    }

    private Link link() {
        return nodes.out();
    }

    private static int[] order(int of, int count, Random random) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < of; i++) {
            all.add(i);
        }
        Collections.shuffle(all, random);
        return all.stream().limit(count).mapToInt(i -> i).toArray();
    }

    private static byte[] bytes(Region r) {
        return r.segment().orElseThrow().toArray(ValueLayout.JAVA_BYTE);
    }

    private static void set(Region r, byte[] to) {
        r.segment().orElseThrow().copyFrom(MemorySegment.ofArray(to));
    }

    private byte[] drawn() {
        byte[] b = new byte[BYTES];
        random.nextBytes(b);
        return b;
    }

    @Test
    @DisplayName(
            "both sides prepared once, then selections of every length written and read: the bytes, and those beside them")
    void selections() {
        int[] mine = order(BLOCKS, BLOCKS, random);
        int[] theirs = order(BLOCKS, BLOCKS, random);
        try (PreparedLayout local = link().prepare(Layout.blocks(here, 0, BLOCK, mine));
                PreparedRemoteLayout remote =
                        link().prepare(RemoteLayout.blocks(there.remoteKey(), 0, BLOCK, theirs))) {
            assertThat(local.count()).isEqualTo(BLOCKS);
            for (int count : new int[] {0, 1, 2, 700, BLOCKS}) {
                for (boolean write : new boolean[] {true, false}) {
                    byte[] left = drawn();
                    byte[] right = drawn();
                    set(here, left);
                    set(there, right);
                    int[] a = order(BLOCKS, count, random);
                    int[] b = order(BLOCKS, count, random);
                    Transfer t = write
                            ? link().write(local.select(a), remote.select(IntBuffer.wrap(b)), TransferOptions.NONE)
                            : link().read(local.select(IntBuffer.wrap(a)), remote.select(b), TransferOptions.NONE);
                    for (int i = 0; i < count; i++) {
                        int m = mine[a[i]] * BLOCK;
                        int n = theirs[b[i]] * BLOCK;
                        System.arraycopy(
                                write ? left : right, write ? m : n, write ? right : left, write ? n : m, BLOCK);
                    }
                    t.await(PATIENCE);
                    assertThat(bytes(here)).as("here, " + count).isEqualTo(left);
                    assertThat(bytes(there)).as("there, " + count).isEqualTo(right);
                }
            }
        }
    }

    @Test
    @DisplayName("whole, a hundred times, several at a time, of every form")
    void whole() {
        List<Layout> locals = List.of(
                Layout.range(here, 0, 1200),
                Layout.strided(here, 0, 10, 20, 10, 400, 12),
                Layout.list().add(here, 600, 700).add(here, 0, 500).build());
        List<RemoteLayout> remotes = List.of(
                RemoteLayout.range(there.remoteKey(), 0, 1200),
                RemoteLayout.strided(there.remoteKey(), 0, 100, 150, 12),
                RemoteLayout.list()
                        .add(there.remoteKey(), 0, 1)
                        .add(there.remoteKey(), 10, 1199)
                        .build());
        for (Layout l : locals) {
            for (RemoteLayout r : remotes) {
                byte[] left = drawn();
                set(here, left);
                set(there, new byte[BYTES]);
                try (PreparedLayout local = link().prepare(l);
                        PreparedRemoteLayout remote = link().prepare(r)) {
                    List<Transfer> all = new ArrayList<>();
                    for (int n = 0; n < 100; n++) {
                        all.add(link().write(local, remote, TransferOptions.NONE));
                    }
                    all.forEach(t -> t.await(PATIENCE));
                    set(here, new byte[BYTES]);
                    link().read(local, remote, TransferOptions.NONE).await(PATIENCE);
                    byte[] back = bytes(here);
                    int same = 0;
                    for (int i = 0; i < BYTES; i++) {
                        same += back[i] != 0 && back[i] == left[i] ? 1 : 0;
                    }
                    assertThat(same).isGreaterThan(1100); // 1200 without the zeros that were drawn
                }
            }
        }
    }

    @Test
    @DisplayName("a piece that is named twice is read twice, and never written twice")
    void duplicates() {
        int[] all = order(BLOCKS, BLOCKS, random);
        try (PreparedLayout local = link().prepare(Layout.blocks(here, 0, BLOCK, all));
                PreparedRemoteLayout remote = link().prepare(RemoteLayout.blocks(there.remoteKey(), 0, BLOCK, all))) {
            set(here, drawn());
            link().write(local.select(5, 5, 7), remote.select(1, 2, 3), TransferOptions.NONE)
                    .await(PATIENCE);
            Transfer twice = link().write(local.select(1, 2, 3), remote.select(5, 7, 5), TransferOptions.NONE);
            assertThatThrownBy(() -> twice.await(PATIENCE))
                    .isInstanceOfSatisfying(
                            RemoteAccessException.class,
                            e -> assertThat(e.reason()).isEqualTo(TransferRefusal.OVERLAP));
            assertThatThrownBy(() -> link().read(local.select(9, 8, 9), remote.select(1, 2, 3), TransferOptions.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("twice");
            link().read(local.select(1, 2, 3), remote.select(9, 9, 9), TransferOptions.NONE)
                    .await(PATIENCE);
            assertThatThrownBy(() -> local.select(0, BLOCKS)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> remote.select(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    @DisplayName("a selection is for one transfer, a prepared layout for one link, and neither after its close")
    void misuse() throws Exception {
        PreparedLayout local = link().prepare(Layout.blocks(here, 0, BLOCK, 0, 1));
        PreparedRemoteLayout remote = link().prepare(RemoteLayout.blocks(there.remoteKey(), 0, BLOCK, 0, 1));
        var mine = local.select(0);
        var theirs = remote.select(1);
        link().write(mine, theirs, TransferOptions.NONE).await(PATIENCE);
        assertThatThrownBy(() -> link().write(mine, remote.select(0), TransferOptions.NONE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("one transfer");
        assertThatThrownBy(() -> link().write(local.select(0), theirs, TransferOptions.NONE))
                .isInstanceOf(IllegalStateException.class);
        Link other = nodes.another().out();
        assertThatThrownBy(() -> other.write(local, RemoteLayout.range(there.remoteKey(), 0, 80), TransferOptions.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("another link");
        local.close();
        remote.close();
        remote.close();
        assertThatThrownBy(() -> local.select(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> link().read(Layout.range(here, 0, 80), remote, TransferOptions.NONE))
                .isInstanceOf(IllegalStateException.class);
        assertThat(link().ended()).isNotDone();
    }

    @Test
    @DisplayName("a withdrawn region kills what was prepared on it, with the reason; the link and other layouts go on")
    void withdrawal() {
        try (Region second = nodes.server().allocate(0, BYTES)) {
            RemoteRegion key = second.share(Access.READ_AND_WRITE);
            RemoteLayout both = RemoteLayout.list()
                    .add(there.remoteKey(), 0, 100)
                    .add(key, 0, 100)
                    .build();
            try (PreparedRemoteLayout remote = link().prepare(both);
                    PreparedRemoteLayout unhurt = link().prepare(RemoteLayout.range(there.remoteKey(), 0, 100))) {
                Layout local = Layout.range(here, 0, 200);
                link().write(local, remote, TransferOptions.NONE).await(PATIENCE);
                second.withdraw(key, PATIENCE);
                for (Transfer t : List.of(
                        link().write(local, remote, TransferOptions.NONE),
                        link().read(local, remote, TransferOptions.NONE),
                        link().write(Layout.range(here, 0, 100), remote.select(1), TransferOptions.NONE))) {
                    assertThatThrownBy(() -> t.await(PATIENCE))
                            .isInstanceOfSatisfying(
                                    RemoteAccessException.class,
                                    e -> assertThat(e.reason()).isEqualTo(TransferRefusal.WITHDRAWN));
                }
                link().write(Layout.range(here, 0, 100), unhurt, TransferOptions.NONE)
                        .await(PATIENCE);
            }
        } // nothing prepared keeps the region from being closed
        assertThat(link().ended()).isNotDone();
    }

    @Test
    @DisplayName("what the owner finds wrong when it is prepared, each transfer with it fails with")
    void refusedByTheOwner() {
        RemoteRegion reads = there.share(Access.READ);
        try (PreparedRemoteLayout outside = link().prepare(RemoteLayout.range(there.remoteKey(), BYTES - 10, 20));
                PreparedRemoteLayout unknown = link().prepare(RemoteLayout.range(new RemoteRegion(1, 2, 99), 0, 20));
                PreparedRemoteLayout readable = link().prepare(RemoteLayout.range(reads, 0, 20));
                PreparedRemoteLayout woven = link().prepare(RemoteLayout.blocks(there.remoteKey(), 0, 10, 4, 4))) {
            Layout local = Layout.range(here, 0, 20);
            refused(link().read(local, outside, TransferOptions.NONE), TransferRefusal.BOUNDS);
            refused(link().read(local, outside.select(0), TransferOptions.NONE), TransferRefusal.BOUNDS);
            refused(link().write(local, unknown, TransferOptions.NONE), TransferRefusal.KEY);
            refused(link().write(local, readable, TransferOptions.NONE), TransferRefusal.RIGHTS);
            link().read(local, readable, TransferOptions.NONE).await(PATIENCE);
            refused(link().write(local, woven, TransferOptions.NONE), TransferRefusal.OVERLAP);
            link().read(local, woven, TransferOptions.NONE).await(PATIENCE);
        }
    }

    private static void refused(Transfer t, TransferRefusal why) {
        assertThatThrownBy(() -> t.await(PATIENCE))
                .isInstanceOfSatisfying(
                        RemoteAccessException.class, e -> assertThat(e.reason()).isEqualTo(why));
    }

    @Test
    @DisplayName("so many are prepared at a time; closing some makes room")
    void limit() {
        RemoteLayout one = RemoteLayout.range(there.remoteKey(), 0, 20);
        Layout local = Layout.range(here, 0, 20);
        List<PreparedRemoteLayout> all = new ArrayList<>();
        for (int n = 0; n < Link.MOST_PREPARED; n++) {
            all.add(link().prepare(one));
        }
        try (PreparedRemoteLayout tooMany = link().prepare(one)) {
            Transfer t = link().write(local, tooMany, TransferOptions.NONE);
            assertThatThrownBy(() -> t.await(PATIENCE))
                    .isInstanceOfSatisfying(
                            LinkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.LIMIT));
        }
        link().write(local, all.getLast(), TransferOptions.NONE).await(PATIENCE);
        all.forEach(PreparedRemoteLayout::close);
        for (int n = 0; n < 2 * Link.MOST_PREPARED; n++) {
            try (PreparedRemoteLayout again = link().prepare(one)) {
                link().write(local, again, TransferOptions.NONE);
            }
        }
        link().write(local, RemoteLayout.range(there.remoteKey(), 0, 20), TransferOptions.NONE)
                .await(PATIENCE);
    }

    @Test
    @DisplayName("a list of a million pieces is told without the peer being taken for dead")
    void aMillion() {
        RemoteLayout.Builder list = RemoteLayout.list();
        for (int n = 0; n < 1_000_000; n++) {
            list.add(there.remoteKey(), n % BYTES, n == 17 ? 20 : 0);
        }
        RemoteLayout long_ = list.build();
        byte[] left = drawn();
        set(here, left);
        link().write(Layout.range(here, 0, 20), long_, TransferOptions.NONE).await(PATIENCE);
        try (PreparedRemoteLayout prepared = link().prepare(long_)) {
            link().read(Layout.range(here, 40, 20), prepared, TransferOptions.NONE)
                    .await(PATIENCE);
        }
        System.arraycopy(left, 0, left, 40, 20);
        assertThat(bytes(here)).isEqualTo(left);
    }
}
