package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** Device memory as PyTorch's expandable segments make it: VMM allocations of 2 MiB, mapped one behind the other. */
@SuppressWarnings("restricted")
final class VmmAllocation implements AutoCloseable {
    static final long SEGMENT = 2 << 20;

    private final SharingCalls calls;
    private final long address;
    private final int segments;

    /** @param library path or name of the driver; the GPU is current on this thread */
    VmmAllocation(String library, int device, int segments) throws Throwable {
        SymbolLookup symbols = library.contains("/")
                ? SymbolLookup.libraryLookup(Path.of(library), Arena.global())
                : SymbolLookup.libraryLookup(library, Arena.global());
        this.calls = new SharingCalls(symbols);
        this.segments = segments;
        var create = Linker.nativeLinker()
                .downcallHandle(
                        symbols.findOrThrow("cuMemCreate"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            ok(calls.reserve(out, segments * SEGMENT));
            address = out.get(ValueLayout.JAVA_LONG, 0);
            MemorySegment properties =
                    arena.allocate(32, 8); // CUmemAllocationProp: pinned, POSIX descriptors, this device
            properties.setAtIndex(ValueLayout.JAVA_INT, 0, 1);
            properties.setAtIndex(ValueLayout.JAVA_INT, 1, 1);
            properties.setAtIndex(ValueLayout.JAVA_INT, 2, 1);
            properties.setAtIndex(ValueLayout.JAVA_INT, 3, device);
            for (int i = 0; i < segments; i++) {
                ok((int) create.invokeExact(out, SEGMENT, properties, 0L));
                long handle = out.get(ValueLayout.JAVA_LONG, 0);
                ok(calls.map(address + i * SEGMENT, SEGMENT, handle));
                ok(calls.release(handle));
            }
            ok(calls.setAccess(address, segments * SEGMENT, device));
        }
    }

    private static void ok(int result) {
        assertThat(result).as("CUresult").isZero();
    }

    long address() {
        return address;
    }

    long bytes() {
        return segments * SEGMENT;
    }

    @Override
    public void close() {
        for (int i = 0; i < segments; i++) {
            ok(calls.unmap(address + i * SEGMENT, SEGMENT));
        }
        ok(calls.unreserve(address, segments * SEGMENT));
    }
}
