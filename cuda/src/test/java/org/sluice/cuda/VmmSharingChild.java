package org.sluice.cuda;

import org.sluice.contract.SharingChild;
import org.sluice.spi.Gpu;

/** A process whose block lies in three VMM allocations, from the middle of the first to the middle of the last. */
final class VmmSharingChild {
    private VmmSharingChild() {}

    /** The driver's library, and the GPU. */
    public static void main(String[] args) throws Throwable {
        int device = Integer.parseInt(args[1]);
        try (Gpu gpu = SharingChild.open("cuda", device);
                VmmAllocation memory = new VmmAllocation(args[0], device, 3)) {
            SharingChild.serve(gpu, gpu.adopt(memory.address() + 4096, memory.bytes() - (1 << 20)));
        }
    }
}
