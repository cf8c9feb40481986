package org.sluice.ncclnet;

import java.util.concurrent.ThreadLocalRandom;

/** API 11 and 12: a context that every listen and connect names, and {@code finalize}. */
final class NetApiV11 extends NetApiV10 {
    private final long context;

    NetApiV11(NetFunctions functions) {
        this(functions, 0);
    }

    private NetApiV11(NetFunctions functions, long context) {
        super(functions);
        this.context = context;
    }

    /** The same API for another reading of the table, in the context that {@link #init} made. */
    NetApiV11 in(long madeContext) {
        return new NetApiV11(functions, madeContext);
    }

    /** The context is left in {@code memory}'s out value. */
    @Override
    int init(CommMemory memory, long log, long profiler) {
        // NCCL passes its communicator's id, so that plugins can tell communicators apart in logs
        long id = ThreadLocalRandom.current().nextLong();
        return NetCalls.initContext(init, memory.out(), id, memory.config(), log, profiler);
    }

    @Override
    int listen(int device, CommMemory memory) {
        return NetCalls.listenIn(listen, context, device, memory.handle(), memory.out());
    }

    @Override
    int connect(int device, CommMemory memory) {
        return NetCalls.connectIn(connect, context, device, memory.handle(), memory.out(), memory.noDeviceHandle());
    }

    @Override
    boolean finish() {
        if (!functions.has(NetFunction.FINALIZE)) {
            return false;
        }
        return NetCalls.pointer(functions.get(NetFunction.FINALIZE), context) == NcclResult.SUCCESS;
    }
}
