package org.sluice.testkit;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The fake CUDA driver of {@code fake_cuda.c}, loaded into this JVM: its settings, what it has counted and what it complains of. */
@SuppressWarnings("restricted")
public final class FakeCuda {
    private static final List<String> LIVE = List.of(
            "device_bytes",
            "device_blocks",
            "pinned_bytes",
            "pinned_blocks",
            "streams",
            "events",
            "modules",
            "contexts",
            "imports",
            "reservations",
            "vmm_handles");

    private final Path library;
    private final MethodHandle set;
    private final MethodHandle count;
    private final MethodHandle breach;

    private FakeCuda(Path library) {
        this.library = library;
        SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
        Linker linker = Linker.nativeLinker();
        this.set = linker.downcallHandle(
                symbols.findOrThrow("fake_cuda_set"),
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        this.count = linker.downcallHandle(
                symbols.findOrThrow("fake_cuda_count"),
                FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        this.breach = linker.downcallHandle(
                symbols.findOrThrow("fake_cuda_breach"), FunctionDescriptor.of(ValueLayout.ADDRESS));
    }

    /** Builds the library, for processes that name it in {@code SLUICE_CUDA_LIBRARY}. */
    public static Path build(Path into) throws IOException {
        return CProgram.sharedLibrary("fake_cuda.c", into, "-lpthread");
    }

    /** Builds and loads it. Each folder's is one driver of its own. */
    public static FakeCuda load(Path into) throws IOException {
        return new FakeCuda(build(into));
    }

    /** The driver that a library built before is: this JVM's, where it is loaded already. */
    public static FakeCuda at(Path library) {
        return new FakeCuda(library);
    }

    public Path library() {
        return library;
    }

    /** A setting by its environment name, from now on. */
    public FakeCuda set(String name, Object value) {
        try (Arena arena = Arena.ofConfined()) {
            set.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value.toString()));
            return this;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** One of the counters that the head of {@code fake_cuda.c} lists. */
    public long count(String what) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) count.invokeExact(arena.allocateFrom(what));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Everything that lives: what is left of it at the end is a leak. */
    public Map<String, Long> live() {
        Map<String, Long> all = new TreeMap<>();
        for (String what : LIVE) {
            long n = count(what);
            if (n != 0) {
                all.put(what, n);
            }
        }
        return all;
    }

    /** The first breach of the driver's contract; empty when there was none. */
    public String breach() {
        try {
            MemorySegment text = (MemorySegment) breach.invokeExact();
            return text.reinterpret(512).getString(0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
