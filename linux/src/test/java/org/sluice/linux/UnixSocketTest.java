package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UnixSocketTest {
    @TempDir
    private Path directory;

    private record Pair(UnixSocket listener, UnixSocket client, UnixSocket server) implements AutoCloseable {
        static Pair at(Path path) throws LinuxException {
            UnixSocket listener = UnixSocket.listen(path, 8);
            UnixSocket client = UnixSocket.connect(path);
            UnixSocket server = listener.accept();
            assertThat(server).isNotNull();
            return new Pair(listener, client, server);
        }

        @Override
        public void close() {
            listener.close();
            client.close();
            server.close();
        }
    }

    @Test
    @DisplayName("who comes when more wait than the listener lets wait is connected when it is its turn")
    void waitsForItsTurn() throws Exception {
        int many = 40;
        List<UnixSocket> all = new ArrayList<>();
        try (UnixSocket listener = UnixSocket.listen(directory.resolve("s"), 1)) {
            CompletableFuture<Integer> connected = CompletableFuture.supplyAsync(() -> {
                int n = 0;
                try {
                    for (; n < many; n++) {
                        UnixSocket.connect(directory.resolve("s")).close();
                    }
                } catch (LinuxException e) {
                    throw new CompletionException(e);
                }
                return n;
            });
            while (!connected.isDone()) {
                @Nullable UnixSocket one = listener.accept();
                if (one != null) {
                    all.add(one);
                }
                Thread.onSpinWait();
            }
            assertThat(connected.get()).isEqualTo(many);
        } finally {
            all.forEach(UnixSocket::close);
        }
    }

    @Test
    @DisplayName("a descriptor that is passed is the same memory, and who passed it is known")
    void passesDescriptors() throws Exception {
        try (Arena arena = Arena.ofConfined();
                Pair pair = Pair.at(directory.resolve("s"));
                Descriptor memory = Memfd.sealed("test", 8192);
                FileMapping here = FileMapping.of(memory, 0, 8192)) {
            here.segment().set(ValueLayout.JAVA_LONG, 4096, 42);
            MemorySegment bytes = arena.allocateFrom("hello");
            assertThat(pair.client().send(bytes, List.of(memory.fd()))).isEqualTo(6);
            MemorySegment buffer = arena.allocate(100);
            UnixSocket.Received got = pair.server().receive(buffer);
            assertThat(got.bytes()).isEqualTo(6);
            assertThat(buffer.getString(0)).isEqualTo("hello");
            assertThat(got.descriptors()).hasSize(1);
            try (Descriptor passed = got.descriptors().getFirst();
                    FileMapping there = FileMapping.of(passed, 0, 8192)) {
                assertThat(passed.fd()).isNotEqualTo(memory.fd());
                assertThat(there.segment().get(ValueLayout.JAVA_LONG, 4096)).isEqualTo(42);
            }
            assertThat(pair.server().peer().pid())
                    .isEqualTo((int) ProcessHandle.current().pid());
            assertThat(pair.server().receive(buffer).bytes()).isZero();
            pair.client().close();
            assertThat(pair.server().receive(buffer).ended()).isTrue();
        }
    }

    @Test
    @DisplayName("sealed memory cannot shrink, a plain file takes no seals, and sizes and kinds are told")
    void seals() throws Exception {
        try (Descriptor sealed = Memfd.sealed("test", 5000);
                Descriptor open = Memfd.open("test", 5000)) {
            assertThat(sealed.size()).isEqualTo(5000);
            assertThat(sealed.readsAndWrites()).isTrue();
            assertThat(sealed.mode() & 0170000).isEqualTo(0100000);
            assertThat(sealed.seals() & Descriptor.SEAL_SHRINK).isNotZero();
            assertThat(sealed.addSeals(Descriptor.SEAL_SHRINK)).isFalse();
            assertThat(open.seals()).isZero();
            assertThat(open.addSeals(Descriptor.SEAL_SHRINK)).isTrue();
            assertThat(sealed.fileSystem()).isEqualTo(0x01021994);
            Path link = Path.of("/proc/self/fd/" + sealed.fd());
            try (FileChannel file = FileChannel.open(link, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                assertThatThrownBy(() -> file.truncate(10)).hasMessageContaining("not permitted");
            }
        }
    }

    @Test
    @DisplayName("files are read and written without a mapping, and a short one says how much there was")
    void readsAndWrites() throws Exception {
        try (Arena arena = Arena.ofConfined();
                Descriptor file = Memfd.open("test", 100)) {
            MemorySegment memory = arena.allocate(200);
            memory.fill((byte) 7);
            assertThat(file.write(memory.address(), 50, 50)).isEqualTo(50);
            memory.fill((byte) 0);
            assertThat(file.read(memory.address(), 200, 40)).isEqualTo(60);
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 9)).isEqualTo((byte) 0);
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 10)).isEqualTo((byte) 7);
        }
    }

    @Test
    @DisplayName("epoll tells an event counter's signal and a socket's data by their tokens")
    void epoll() throws Exception {
        try (Arena arena = Arena.ofConfined();
                Pair pair = Pair.at(directory.resolve("s"));
                Epoll epoll = Epoll.open();
                EventFd event = EventFd.open()) {
            epoll.add(event.fd(), Epoll.IN, Long.MAX_VALUE);
            epoll.add(pair.server().fd(), Epoll.IN, 5);
            List<Long> told = new ArrayList<>();
            assertThat(epoll.await(0, (token, events) -> told.add(token))).isZero();
            event.signal();
            pair.client().send(arena.allocateFrom("x"), List.of());
            assertThat(epoll.await(1000, (token, events) -> told.add(token))).isEqualTo(2);
            assertThat(told).containsExactlyInAnyOrder(Long.MAX_VALUE, 5L);
            event.clear();
            epoll.remove(pair.server().fd());
            assertThat(epoll.await(0, (token, events) -> told.add(token))).isZero();
        }
    }

    @Test
    @DisplayName("a process's descriptor becomes readable when it ends")
    void pidfd() throws Exception {
        Process process = new ProcessBuilder("sleep", "60").start();
        try (Descriptor pid = PidFd.of((int) process.pid()).orElseThrow();
                Epoll epoll = Epoll.open()) {
            epoll.add(pid.fd(), Epoll.IN, 1);
            assertThat(epoll.await(0, (token, events) -> {})).isZero();
            process.destroyForcibly();
            assertThat(epoll.await(10_000, (token, events) -> {})).isEqualTo(1);
        } finally {
            process.destroyForcibly();
        }
    }
}
