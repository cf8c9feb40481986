package org.sluice.ncclnet;

/** API 9: messages of any size. */
sealed class NetApiV9 extends NetApiV8 permits NetApiV10 {
    /** NCCL_MAX_NET_SIZE_BYTES. */
    private static final long MOST_MESSAGE = 1L << 40;

    NetApiV9(NetFunctions functions) {
        super(functions);
    }

    @Override
    long mostSent() {
        return MOST_MESSAGE;
    }

    @Override
    int send(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        return NetCalls.sendWide(send, comm, data, bytes, TAG, memoryHandle, memory.request());
    }

    @Override
    int receive(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        memory.receiveWide(data, bytes, memoryHandle);
        return NetCalls.receive(
                receive,
                comm,
                1,
                memory.data(),
                memory.sizes(),
                memory.tags(),
                memory.memoryHandles(),
                memory.request());
    }
}
