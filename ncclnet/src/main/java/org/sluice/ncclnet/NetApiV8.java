package org.sluice.ncclnet;

/** API 8: registrations of any size. */
sealed class NetApiV8 extends NetApiV7 permits NetApiV9 {
    NetApiV8(NetFunctions functions) {
        super(functions);
    }

    @Override
    long mostRegistered() {
        return Long.MAX_VALUE;
    }

    @Override
    int register(long comm, CommMemory memory, long data, long bytes, int type) {
        return NetCalls.registerWide(register, comm, data, bytes, type, memory.out());
    }
}
