package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;

/** API 7: device handles, for plugins that leave received data where a GPU has to fetch it, and {@code irecvConsumed}. */
sealed class NetApiV7 extends NetApi permits NetApiV8 {
    private final MemorySegment consumed;
    private final boolean hasConsumed;

    NetApiV7(NetFunctions functions) {
        super(functions);
        this.consumed = functions.get(NetFunction.IRECV_CONSUMED);
        this.hasConsumed = functions.has(NetFunction.IRECV_CONSUMED);
    }

    @Override
    int connect(int device, CommMemory memory) {
        return NetCalls.connect(connect, device, memory.handle(), memory.out(), memory.noDeviceHandle());
    }

    @Override
    int accept(long listenComm, CommMemory memory, boolean unpacks) {
        return NetCalls.threePointers(
                accept, listenComm, memory.out(), unpacks ? memory.ownDeviceHandle() : memory.noDeviceHandle());
    }

    @Override
    int consumed(long comm, long request) {
        return hasConsumed ? NetCalls.consumed(consumed, comm, 1, request) : NcclResult.SUCCESS;
    }
}
