package org.sluice.ncclnet;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.sluice.NodeConfig;
import org.sluice.spi.TransportConfig;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** The testkit's plugin: built once, and a copy of its own for each test, since a loaded library keeps its state. */
@SuppressWarnings("restricted")
final class FakePlugin {
    private static final String SOURCE = "fake_nccl_net.c";
    private static final Path BUILT = build();

    private final Path file;
    private final Map<String, String> options = new HashMap<>();

    private FakePlugin() {
        try {
            file = Files.createTempDirectory("fake-plugin").resolve("libnccl-net-fake.so");
            Files.copy(BUILT, file);
            file.toFile().deleteOnExit();
            file.getParent().toFile().deleteOnExit();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        options.put("plugin", file.toString());
        // every variable, since a test's process has one environment
        for (String name : List.of(
                "MODE",
                "FAULTS",
                "FRAGMENTS",
                "ACCEPT_MS",
                "ACCEPT",
                "CLOSE",
                "READY",
                "SIGNALS",
                "CONNECT_CALLS",
                "HOST",
                "BOUNCE",
                "FLUSH",
                "LATE",
                "IFNAMES",
                "CUDA",
                "LOG")) {
            set(name, "");
        }
    }

    private static Path build() {
        Assumptions.assumeTrue(CProgram.canBuild(), "no gcc here to build the fake plugin with");
        try {
            // a process looks for its CUDA driver once: it has to be there before any node is
            Path driver = Path.of(System.getenv("SLUICE_CUDA_LIBRARY"));
            FakeCuda.load(Files.createDirectories(driver.getParent()));
            Path folder = Files.createTempDirectory("fake-plugin-build");
            return CProgram.sharedLibrary(SOURCE, folder, "-lpthread", "-ldl");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A plugin that puts received bytes where they belong, through one version of the API. */
    static FakePlugin plain(int api) {
        return new FakePlugin().option("plugin-api", String.valueOf(api));
    }

    /** A plugin that behaves as GPUDirect-TCPX. */
    static FakePlugin tcpx() {
        return plain(7).set("MODE", "tcpx");
    }

    FakePlugin option(String key, String value) {
        options.put(key, value);
        return this;
    }

    FakePlugin set(String name, String value) {
        return option("env.FAKE_NET_" + name, value);
    }

    /** {@code op:kind=value@after}, see the plugin's source. */
    FakePlugin fault(String fault) {
        return set("FAULTS", fault);
    }

    Path file() {
        return file;
    }

    Map<String, String> options() {
        return options;
    }

    TransportConfig transportConfig() {
        return new TransportConfig(List.of(), 1, 0, options);
    }

    /** Host GPUs, few channels, small chunks: enough for every path. */
    NodeConfig.Builder node(int port) {
        return NodeConfig.builder()
                .backend("host")
                .transport("nccl-net")
                .transportOptions(options)
                .gpus(1)
                .channels(4)
                .chunkBytes(64 << 10)
                .portBase(port)
                .duplex(false)
                .deadline(java.time.Duration.ofSeconds(10));
    }

    /** How often the contract was broken. */
    long violations() {
        return counter("fake_net_violations");
    }

    String firstViolation() {
        try {
            MemorySegment f = symbol("fake_net_first_violation");
            MemorySegment text = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(f, FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invokeExact();
            return text.reinterpret(256).getString(0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    long openComms() {
        return counter("fake_net_open_comms");
    }

    long requests() {
        return counter("fake_net_requests");
    }

    /** Comms that were closed with requests not done or not given back. */
    long undrained() {
        return counter("fake_net_undrained");
    }

    /** Memory that is registered on comms, closed ones included. */
    long registrations() {
        return counter("fake_net_registrations");
    }

    long flushes() {
        return counter("fake_net_flushes");
    }

    /** Listeners that are not closed. */
    long listeners() {
        return counter("fake_net_listeners");
    }

    /** Connects that have come to nothing yet. */
    long connecting() {
        return counter("fake_net_connecting");
    }

    /** Takes a NIC down, or brings it back. */
    void down(int device, boolean down) {
        try {
            Linker.nativeLinker()
                    .downcallHandle(
                            symbol("fake_net_down"),
                            FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG))
                    .invokeExact((long) device, down ? 1L : 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private long counter(String function) {
        try {
            return (long) Linker.nativeLinker()
                    .downcallHandle(symbol(function), FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                    .invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private MemorySegment symbol(String name) {
        return SymbolLookup.libraryLookup(file, Arena.global()).findOrThrow(name);
    }
}
