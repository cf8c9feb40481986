package org.sluice.ncclnet;

/** API 10: a profiler to call back, and traffic classes. Neither is asked for. */
sealed class NetApiV10 extends NetApiV9 permits NetApiV11 {
    /** No profiler listens to the message. */
    private static final long NO_PROFILER_HANDLE = 0;

    NetApiV10(NetFunctions functions) {
        super(functions);
    }

    @Override
    int init(CommMemory memory, long log, long profiler) {
        return NetCalls.pointers(init, log, profiler);
    }

    @Override
    int connect(int device, CommMemory memory) {
        return NetCalls.connectConfigured(
                connect, device, memory.config(), memory.handle(), memory.out(), memory.noDeviceHandle());
    }

    @Override
    int send(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        return NetCalls.sendProfiled(send, comm, data, bytes, TAG, memoryHandle, NO_PROFILER_HANDLE, memory.request());
    }

    @Override
    int receive(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        memory.receiveWide(data, bytes, memoryHandle);
        return NetCalls.receiveProfiled(
                receive,
                comm,
                1,
                memory.data(),
                memory.sizes(),
                memory.tags(),
                memory.memoryHandles(),
                memory.profilerHandles(),
                memory.request());
    }
}
