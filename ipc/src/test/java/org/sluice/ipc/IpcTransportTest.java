package org.sluice.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;
import org.sluice.linux.UnixSocket;
import org.sluice.spi.PartsConnection;
import org.sluice.spi.PartsListener;
import org.sluice.spi.PullTransport;
import org.sluice.spi.SharedPart;
import org.sluice.spi.TransportException;

/** The meeting of two processes, here of two transports of one, and those who are not let in. */
@Timeout(60)
final class IpcTransportTest {
    private PullTransport here;
    private PullTransport there;

    @BeforeEach
    void open() throws TransportException {
        here = new IpcTransportProvider().open();
        there = new IpcTransportProvider().open();
    }

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    private record Block(byte[] label, List<SharedPart> parts) {}

    private static final class Told implements PartsListener {
        final BlockingQueue<PartsConnection> connections = new LinkedBlockingQueue<>();
        final BlockingQueue<Block> blocks = new LinkedBlockingQueue<>();
        final BlockingQueue<String> broken = new LinkedBlockingQueue<>();

        @Override
        public void connected(PartsConnection connection) {
            connections.add(connection);
        }

        @Override
        public void received(byte[] label, List<SharedPart> parts) {
            blocks.add(new Block(label, parts));
        }

        @Override
        public void broken(String why) {
            broken.add(why);
        }
    }

    private static <T> T next(BlockingQueue<T> of) throws InterruptedException {
        T t = of.poll(20, TimeUnit.SECONDS);
        assertThat(t).isNotNull();
        return t;
    }

    private static Path path(byte[] handle) {
        return Path.of(new String(handle, 17, handle.length - 17, StandardCharsets.UTF_8));
    }

    private static SharedPart memfd(int number) {
        try {
            // its own length says which it is
            int fd = Memfd.open("test", 4096L + number).fd();
            return new SharedPart(SharedPart.Kind.MEMFD, number, 4096L + number, 0, 4096L + number, new byte[0], fd);
        } catch (LinuxException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void manyPartsComeInOrderWithTheirDescriptors() throws Exception {
        Told at = new Told();
        Told by = new Told();
        byte[] handle = here.listen(at).handle();
        PartsConnection out = there.connect(handle, by);
        next(by.connections);
        PartsConnection in = next(at.connections);
        assertThat(in.peer()).isEqualTo("process " + ProcessHandle.current().pid());
        for (int count : new int[] {1, 253, 700}) {
            List<SharedPart> parts =
                    IntStream.range(0, count).mapToObj(IpcTransportTest::memfd).toList();
            out.send(new byte[] {(byte) count}, parts);
            Block got = next(at.blocks);
            assertThat(got.label()).isEqualTo(new byte[] {(byte) count});
            assertThat(got.parts()).hasSize(count);
            for (int i = 0; i < count; i++) {
                try (Descriptor d = new Descriptor(got.parts().get(i).descriptor())) {
                    assertThat(d.size()).isEqualTo(4096L + i);
                    assertThat(got.parts().get(i).allocation()).isEqualTo(i);
                }
            }
        }
        // and the other way, of memory that has no descriptor
        SharedPart cuda = new SharedPart(SharedPart.Kind.CUDA_IPC, 5, 100, 10, 20, new byte[] {1, 2, 3}, -1);
        in.send(new byte[0], List.of(cuda));
        SharedPart back = next(by.blocks).parts().getFirst();
        assertThat(back.handle()).isEqualTo(new byte[] {1, 2, 3});
        assertThat(back.offset()).isEqualTo(10);
    }

    @Test
    void whoGivesUpIsSeenAtOnceAndWhoClosesIsHeard() throws Exception {
        Told at = new Told();
        Told by = new Told();
        PartsConnection out = there.connect(here.listen(at).handle(), by);
        next(by.connections);
        PartsConnection in = next(at.connections);
        assertThat(in.peerGaveUp()).isFalse();
        assertThat(out.peerGaveUp()).isFalse();
        out.giveUp();
        assertThat(in.peerGaveUp()).isTrue();
        assertThat(out.peerGaveUp()).isFalse();
        out.close();
        assertThat(next(at.broken)).contains("closed");
        assertThat(by.broken).isEmpty();
    }

    @Test
    void onlyWhoKnowsTheTokenIsLetInAndOnlyOnce() throws Exception {
        Told at = new Told();
        byte[] handle = here.listen(at).handle();
        Told first = new Told();
        byte[] wrong = handle.clone();
        wrong[3] ^= 1;
        there.connect(wrong, first);
        next(first.broken);
        Told second = new Told();
        there.connect(handle, second);
        next(second.connections);
        Told third = new Told();
        there.connect(handle, third);
        next(third.broken);
        assertThat(at.connections).hasSize(1);
        assertThatThrownBy(() -> there.connect(new byte[] {9}, third)).isInstanceOf(TransportException.class);
    }

    @Test
    void nonsenseEndsItsOwnConnectionAlone() throws Exception {
        Told at = new Told();
        byte[] handle = here.listen(at).handle();
        try (UnixSocket stranger = UnixSocket.connect(path(handle));
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(64);
            bytes.fill((byte) 0x55);
            assertThat(stranger.send(bytes, List.of())).isEqualTo(64);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            boolean ended = false;
            while (!ended && System.nanoTime() < end) {
                try {
                    ended = stranger.receive(bytes).ended();
                } catch (LinuxException e) {
                    ended = true; // reset: what was sent was not all read
                }
            }
            assertThat(ended).isTrue();
        }
        Told by = new Told();
        there.connect(handle, by);
        next(by.connections);
    }

    @Test
    void nobodyElseEntersTheDirectoryAndItIsTakenAway() throws Exception {
        Path socket = path(here.listen(new Told()).handle());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
                .isEqualTo("rwx------");
        List<Path> directories = new ArrayList<>(List.of(socket.getParent()));
        here.close();
        there.close();
        assertThat(directories).noneMatch(Files::exists);
    }
}
