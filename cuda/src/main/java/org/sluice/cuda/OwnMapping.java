package org.sluice.cuda;

/** An allocation of this very process, used where it lies. */
record OwnMapping(CudaContext context, long address, long bytes) implements PeerMapping {
    @Override
    public void close() {
        // its owner frees it
    }
}
