package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.sluice.spi.SharedPart;

/** VMM allocations mapped one behind the other, as they are in their own process. @param sizes of the allocations */
record VmmMapping(CudaContext context, SharingCalls calls, long address, long bytes, long[] sizes)
        implements PeerMapping {
    static VmmMapping open(CudaContext context, SharingCalls calls, List<SharedPart> parts, Failure failure) {
        long[] sizes = parts.stream().mapToLong(SharedPart::allocationBytes).toArray();
        long bytes = 0;
        for (long size : sizes) {
            bytes = Math.addExact(bytes, size);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            int result = calls.reserve(out, bytes);
            if (result != CudaDriver.SUCCESS) {
                throw failure.of("cuMemAddressReserve of " + bytes + " bytes", result);
            }
            VmmMapping made = new VmmMapping(context, calls, out.get(ValueLayout.JAVA_LONG, 0), bytes, sizes);
            int mapped = 0;
            String call = "cuMemMap";
            for (long at = made.address; mapped < sizes.length; at += sizes[mapped++]) {
                result = calls.importDescriptor(out, parts.get(mapped).descriptor());
                if (result != CudaDriver.SUCCESS) {
                    call = "cuMemImportFromShareableHandle";
                    break;
                }
                long handle = out.get(ValueLayout.JAVA_LONG, 0);
                result = calls.map(at, sizes[mapped], handle);
                int ignored = calls.release(handle); // the mapping holds it
                if (result != CudaDriver.SUCCESS) {
                    break;
                }
            }
            if (result == CudaDriver.SUCCESS) {
                call = "cuMemSetAccess";
                result = calls.setAccess(made.address, bytes, context.device());
            }
            if (result != CudaDriver.SUCCESS) {
                made.free(mapped);
                throw failure.of(call, result);
            }
            return made;
        }
    }

    @Override
    public void close() {
        context.check(free(sizes.length), "cuMemUnmap of a peer's memory");
    }

    /** All of it, whatever fails. @param mapped allocations @return the first result that is no success */
    private int free(int mapped) {
        int first = CudaDriver.SUCCESS;
        long at = address;
        for (int i = 0; i < mapped; at += sizes[i++]) {
            int result = calls.unmap(at, sizes[i]);
            first = first == CudaDriver.SUCCESS ? result : first;
        }
        int result = calls.unreserve(address, bytes);
        return first == CudaDriver.SUCCESS ? result : first;
    }
}
