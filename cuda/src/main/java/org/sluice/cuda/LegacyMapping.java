package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.SharedPart;

/** An allocation opened by its legacy IPC handle. The driver counts: who opens it elsewhere in this process has the same address. */
record LegacyMapping(CudaContext context, SharingCalls calls, long address, long bytes) implements PeerMapping {
    static LegacyMapping open(CudaContext context, SharingCalls calls, SharedPart part, Failure failure) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(SharingCalls.HANDLE_BYTES, 8);
            MemorySegment.copy(part.handle(), 0, handle, ValueLayout.JAVA_BYTE, 0, SharingCalls.HANDLE_BYTES);
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            int result = calls.ipcOpen(out, handle);
            if (result != CudaDriver.SUCCESS) {
                throw failure.of("cuIpcOpenMemHandle", result);
            }
            long address = out.get(ValueLayout.JAVA_LONG, 0);
            return new LegacyMapping(context, calls, address, bytesAt(context, calls, address, part, failure));
        }
    }

    /** How long it is: what the driver says, or that it knows the end that the peer says. */
    private static long bytesAt(
            CudaContext context, SharingCalls calls, long address, SharedPart part, Failure failure) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(2 * Long.BYTES, 8);
            int result = calls.addressRange(address, range);
            if (result == CudaDriver.SUCCESS) {
                return range.getAtIndex(ValueLayout.JAVA_LONG, 0)
                        + range.getAtIndex(ValueLayout.JAVA_LONG, 1)
                        - address;
            }
            long last = address + part.allocationBytes() - 1;
            if (context.driver().pointerAttribute(CudaGpu.ATTRIBUTE_MEMORY_TYPE, last) == CudaGpu.MEMORY_TYPE_DEVICE) {
                return part.allocationBytes();
            }
            int ignored = calls.ipcClose(address);
            throw failure.of("cuMemGetAddressRange", result);
        }
    }

    @Override
    public void close() {
        context.check(calls.ipcClose(address), "cuIpcCloseMemHandle of a peer's memory");
    }
}
