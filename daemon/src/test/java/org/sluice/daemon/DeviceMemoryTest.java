package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.linux.Descriptor;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;
import org.sluice.testkit.FreePorts;

/**
 * GPU memory of clients, with a CUDA driver that has no GPU but knows handles between processes: daemons and clients are processes of
 * their own, and number the GPUs differently.
 */
@Timeout(240)
final class DeviceMemoryTest {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root", ".."));
    private static final int CUDA_IPC = 2;
    private static final int CUDA_VMM = 3;

    @TempDir
    private static Path built;

    @TempDir
    private Path directory;

    private static Path driver = Path.of("none");

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        driver = FakeCuda.build(built);
    }

    /** Two daemons, which see the GPUs in different orders. */
    private record Pair(Path socketA, DaemonProcess a, Path socketB, DaemonProcess b, String addressOfB)
            implements AutoCloseable {
        static Pair start(Path directory, String transport) throws IOException {
            int port = FreePorts.block(2);
            Path one = directory.resolve("a");
            Path other = directory.resolve("b");
            DaemonProcess a = DaemonProcess.start(one, port, "cuda", transport, environment("0,1"));
            try {
                DaemonProcess b = DaemonProcess.start(other, port + 1, "cuda", transport, environment("1,0"));
                return new Pair(one, a, other, b, "127.0.0.1:" + (port + 1));
            } catch (IOException e) {
                a.close();
                throw e;
            }
        }

        List<String> arguments() {
            return List.of(socketA.toString(), socketB.toString(), addressOfB);
        }

        @Override
        public void close() {
            a.close();
            b.close();
        }
    }

    private static Map<String, String> environment(String visible) {
        return Map.of("SLUICE_CUDA_LIBRARY", driver.toString(), "CUDA_VISIBLE_DEVICES", visible);
    }

    /** Mappings and descriptors of a process whose names say so. */
    private static long held(DaemonProcess of, String named) throws IOException {
        Path process = Path.of("/proc", String.valueOf(of.pid()));
        long held = Files.readAllLines(process.resolve("maps")).stream()
                .filter(l -> l.contains(named))
                .count();
        try (Stream<Path> all = Files.list(process.resolve("fd"))) {
            for (Path fd : all.toList()) {
                try {
                    held += Files.readSymbolicLink(fd).toString().contains(named) ? 1 : 0;
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
        }
        return held;
    }

    private static long descriptors(DaemonProcess of) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc", String.valueOf(of.pid()), "fd"))) {
            return all.count();
        }
    }

    private static CClient.Result run(List<String> command, Pair pair, List<String> more) {
        List<String> all = new ArrayList<>(List.of("/usr/bin/env", "SLUICE_CUDA_LIBRARY=" + driver));
        all.addAll(command);
        all.addAll(pair.arguments());
        all.addAll(more);
        return CClient.run(all, 120);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "ipc"})
    @DisplayName("Python clients move GPU memory, whole, in parts and by lists, and nothing of it stays open")
    void python(String transport) throws Exception {
        boolean there =
                Stream.of(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, "python3")));
        assumeTrue(there, "the Python client is not tested: there is no python3");
        Path client = ROOT.resolve("client-python").toAbsolutePath();
        try (Pair pair = Pair.start(directory, transport)) {
            CClient.Result result = run(
                    List.of(
                            "SLUICE_LIBRARY=" + CClient.library().toAbsolutePath(),
                            "PYTHONPATH=" + client + ":" + client.resolve("tests"),
                            "PYTHONDONTWRITEBYTECODE=1",
                            "python3",
                            client.resolve("tests").resolve("gpu_roundtrip.py").toString()),
                    pair,
                    List.of());
            assertThat(result.output()).endsWith("ok\n");
            assertThat(result.status()).isZero();
            assertThat(held(pair.a(), "fake-cuda-vmm")).isZero();
            assertThat(held(pair.b(), "fake-cuda-vmm")).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"tcp,plain", "tcp,expandable", "ipc,plain", "ipc,expandable"})
    @DisplayName("C clients do the same, and are refused what is no GPU memory of theirs")
    void c(String transport, String kind) throws Exception {
        Path program = CClient.sanitized("device");
        try (Pair pair = Pair.start(directory, transport)) {
            CClient.Result result = run(List.of(program.toString()), pair, List.of(driver.toString(), kind, "0"));
            assertThat(result.output()).endsWith("ok\n");
            assertThat(result.status()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"tcp,plain", "tcp,expandable", "ipc,plain", "ipc,expandable"})
    @DisplayName("what a killed client's GPU memory is opened by is closed within a second, at both daemons")
    void killed(String transport, String kind) throws Exception {
        Path program = CClient.plain("device");
        try (Pair pair = Pair.start(directory, transport)) {
            for (int round = 0; round < 3; round++) {
                List<String> command = new ArrayList<>(List.of(program.toString()));
                command.addAll(pair.arguments());
                command.addAll(List.of(driver.toString(), kind, "600"));
                ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
                builder.environment().putAll(environment("1,0"));
                Process victim = builder.start();
                String memory = kind.equals("plain") ? "fake-cuda-" + victim.pid() + "-" : "fake-cuda-vmm";
                BufferedReader said =
                        new BufferedReader(new InputStreamReader(victim.getInputStream(), StandardCharsets.UTF_8));
                assertThat(said.readLine()).isEqualTo("started");
                Gone.until(
                        () -> heldNow(pair.a(), memory) > 0 && heldNow(pair.b(), memory) > 0, "memory that is opened");
                TimeUnit.MILLISECONDS.sleep(20L * round); // at some moment of its transfers
                victim.destroyForcibly();
                victim.waitFor();
                long killed = System.nanoTime();
                Gone.until(
                        () -> heldNow(pair.a(), memory) == 0 && heldNow(pair.b(), memory) == 0,
                        "the end of a killed client's memory");
                System.out.println("GPU memory of a killed client, " + transport + " " + kind + ": closed after "
                        + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - killed) + " ms");
            }
            assertThat(pair.a().lives()).isTrue();
            assertThat(pair.b().lives()).isTrue();
        }
    }

    private static long heldNow(DaemonProcess of, String named) {
        try {
            return held(of, named);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static ByteBuffer register(int kind, int gpu, long key, long offset, long bytes, int uuid, int more) {
        ByteBuffer b = RawClient.bytes(64 + more);
        b.putInt(kind).putInt(gpu).putLong(key).putLong(key);
        b.putLong(offset).putLong(bytes).putLong(7);
        for (int i = 0; i < 15; i++) {
            b.put((byte) 0xFA);
        }
        return b.put((byte) uuid);
    }

    private static RawClient.Answer ask(RawClient client, int type, ByteBuffer payload, List<Integer> fds)
            throws LinuxException {
        client.send(type, 5, payload.flip(), fds);
        return client.answer();
    }

    private static ByteBuffer sizes(long... sizes) {
        ByteBuffer b = RawClient.bytes(sizes.length * Long.BYTES);
        for (long s : sizes) {
            b.putLong(s);
        }
        return b;
    }

    @Test
    @DisplayName("handles and descriptors that lie are refused one by one, and nothing of them stays open")
    void lies() throws Exception {
        long granule = 2 << 20;
        try (Pair pair = Pair.start(directory, "tcp");
                Descriptor memfd = Memfd.open("m", granule);
                Descriptor sealed = Memfd.sealed("fake-cuda-vmm-not", granule);
                EventFd event = EventFd.open()) {
            long before;
            try (RawClient client = new RawClient(pair.socketA())) {
                RawClient.Shared shared = client.greet(16);
                before = descriptors(pair.a());

                // a GPU that is not there; one that is, under another number
                assertThat(ask(client, Protocol.REGISTER, register(CUDA_IPC, -1, 1, 0, 1, 99, 72), List.of())
                                .status())
                        .isEqualTo(Status.NOT_FOUND.code());
                assertThat(ask(client, Protocol.REGISTER, register(CUDA_IPC, 1, 1, 0, 1, 0, 72), List.of())
                                .status())
                        .isEqualTo(Status.INVALID.code());
                // too short, beyond all bounds, no key
                assertThat(ask(client, Protocol.REGISTER, register(CUDA_IPC, -1, 1, 0, 1, 0, 3), List.of())
                                .status())
                        .isEqualTo(Status.INVALID.code());
                for (long[] range : new long[][] {{-1, 5}, {0, 0}, {0, -1}, {Long.MAX_VALUE, 2}, {1, 1 << 20}}) {
                    ByteBuffer b = register(CUDA_IPC, -1, 1, range[0], range[1], 0, 72);
                    assertThat(ask(client, Protocol.REGISTER, b.putLong(1 << 20).position(b.limit()), List.of())
                                    .status())
                            .isEqualTo(Status.BOUNDS.code());
                }
                assertThat(ask(client, Protocol.REGISTER, register(CUDA_IPC, -1, 0, 0, 1, 0, 72), List.of())
                                .status())
                        .isEqualTo(Status.INVALID.code());
                // a handle of zeros, and one of memory that is not there
                ByteBuffer zeros = register(CUDA_IPC, -1, 1, 0, 4096, 0, 72);
                assertThat(ask(client, Protocol.REGISTER, zeros.putLong(4096).position(zeros.limit()), List.of())
                                .status())
                        .isEqualTo(Status.INVALID.code());
                ByteBuffer gone = register(CUDA_IPC, -1, 1, 0, 4096, 0, 72);
                gone.putLong(4096).put("fakecuda".getBytes(StandardCharsets.US_ASCII));
                gone.putInt(1)
                        .putInt(3)
                        .putInt(0)
                        .putInt(0)
                        .putLong(12)
                        .putLong(0)
                        .putLong(4096)
                        .putLong(4096);
                assertThat(ask(client, Protocol.REGISTER, gone.position(gone.limit()), List.of())
                                .status())
                        .isEqualTo(Status.INVALID.code());

                // no parts, parts that are fewer than said, descriptors of every wrong kind
                assertThat(ask(client, Protocol.REGISTER, vmm(0, granule, 1), List.of())
                                .status())
                        .isEqualTo(Status.INVALID.code());
                for (int fd : new int[] {memfd.fd(), sealed.fd(), event.fd(), 0, 1}) {
                    assertThat(ask(client, Protocol.PARTS, sizes(granule), List.of(fd))
                                    .status())
                            .isZero();
                    assertThat(ask(client, Protocol.REGISTER, vmm(0, granule, 2), List.of())
                                    .status())
                            .isEqualTo(Status.INVALID.code());
                    assertThat(ask(client, Protocol.PARTS, sizes(granule), List.of(fd))
                                    .status())
                            .isZero();
                    assertThat(ask(client, Protocol.REGISTER, vmm(0, granule, 1), List.of())
                                    .status())
                            .isEqualTo(Status.INVALID.code());
                }
                // sizes that cannot be, or that hold too little
                for (long[] wrong : new long[][] {{0}, {-1}, {Long.MIN_VALUE}}) {
                    assertThat(ask(client, Protocol.PARTS, sizes(wrong), List.of(memfd.fd()))
                                    .status())
                            .isEqualTo(Status.BOUNDS.code());
                }
                assertThat(ask(client, Protocol.PARTS, sizes(1, 2), List.of(memfd.fd()))
                                .status())
                        .isEqualTo(Status.INVALID.code());
                assertThat(ask(client, Protocol.PARTS, sizes(), List.of()).status())
                        .isEqualTo(Status.INVALID.code());
                for (long size : new long[] {Long.MAX_VALUE, granule}) {
                    assertThat(ask(client, Protocol.PARTS, sizes(size, size), List.of(memfd.fd(), memfd.fd()))
                                    .status())
                            .isZero();
                    assertThat(ask(client, Protocol.REGISTER, vmm(0, 3 * granule, 2), List.of())
                                    .status())
                            .isIn(Status.BOUNDS.code(), Status.INVALID.code());
                }

                // what is handed over is bounded, and goes with the client
                int quota = DaemonPair.QUOTAS.descriptors();
                List<Integer> many = java.util.Collections.nCopies(HandedParts.MOST_AT_ONCE, memfd.fd());
                long[] each = new long[HandedParts.MOST_AT_ONCE];
                java.util.Arrays.fill(each, granule);
                int taken = 0;
                while (taken <= quota
                        && ask(client, Protocol.PARTS, sizes(each), many).status() == 0) {
                    taken += each.length;
                }
                assertThat(taken).isLessThanOrEqualTo(quota).isGreaterThan(quota - each.length);
                shared.mapping().close();
            }
            Gone.until(() -> descriptorsNow(pair.a()) <= before, "descriptors that a client handed over");
            // the daemon serves others as before
            assertThat(run(
                                    List.of(CClient.plain("device").toString()),
                                    pair,
                                    List.of(driver.toString(), "expandable", "0"))
                            .output())
                    .endsWith("ok\n");
        }
    }

    private static long descriptorsNow(DaemonProcess of) {
        try {
            return descriptors(of);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static ByteBuffer vmm(long offset, long bytes, int count) {
        return register(CUDA_VMM, -1, 1, offset, bytes, 0, 8).putInt(count).putInt(0);
    }

    @Test
    @DisplayName("a daemon without GPUs says so")
    void withoutGpus() throws Exception {
        Path socket = directory.resolve("host");
        int port = FreePorts.block(1);
        try (DaemonProcess daemon = DaemonProcess.start(socket, port);
                RawClient client = new RawClient(socket)) {
            assertThat(daemon.lives()).isTrue();
            RawClient.Shared shared = client.greet(16);
            RawClient.Answer answer = ask(client, Protocol.REGISTER, register(CUDA_IPC, -1, 1, 0, 1, 0, 72), List.of());
            assertThat(answer.status()).isEqualTo(Status.NOT_FOUND.code());
            shared.mapping().close();
        }
    }
}
