package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;

/**
 * The plugin contract as the transport uses it, whatever version the plugin speaks: the one internal face. This class is the
 * adapter for API 5 and 6; each later adapter overrides what its version changed. All of them return an {@code ncclResult_t}.
 *
 * <p>Belongs to no thread: a comm does, to the agent that made it.
 */
sealed class NetApi permits NetApiV7 {
    /** The tag of every message: one receive at a time matches in order, whatever the tag. */
    static final int TAG = 0;

    /** Most bytes of an {@code int} size that is a multiple of a page. */
    static final long INT_BYTES = 0x7fff_f000L;

    final NetFunctions functions;
    final MemorySegment init;
    final MemorySegment connect;
    final MemorySegment accept;
    final MemorySegment listen;
    final MemorySegment register;
    final MemorySegment send;
    final MemorySegment receive;
    private final MemorySegment test;
    private final MemorySegment deregister;
    private final MemorySegment flush;
    private final boolean hasFlush;

    NetApi(NetFunctions functions) {
        this.functions = functions;
        this.init = functions.get(NetFunction.INIT);
        this.listen = functions.get(NetFunction.LISTEN);
        this.connect = functions.get(NetFunction.CONNECT);
        this.accept = functions.get(NetFunction.ACCEPT);
        this.register = functions.get(NetFunction.REG_MR);
        this.deregister = functions.get(NetFunction.DEREG_MR);
        this.send = functions.get(NetFunction.ISEND);
        this.receive = functions.get(NetFunction.IRECV);
        this.test = functions.get(NetFunction.TEST);
        this.flush = functions.get(NetFunction.IFLUSH);
        this.hasFlush = functions.has(NetFunction.IFLUSH);
    }

    /** @param memory scratch; @param log, profiler callbacks; the profiler's is for API 10 and newer */
    int init(CommMemory memory, long log, long profiler) {
        return NetCalls.pointer(init, log);
    }

    final int devices(CommMemory memory) {
        return NetCalls.pointer(functions.get(NetFunction.DEVICES), memory.out());
    }

    final int properties(int device, MemorySegment out) {
        return NetCalls.device(functions.get(NetFunction.GET_PROPERTIES), device, out.address());
    }

    int listen(int device, CommMemory memory) {
        return NetCalls.deviceHandle(listen, device, memory.handle(), memory.out());
    }

    int connect(int device, CommMemory memory) {
        return NetCalls.deviceHandle(connect, device, memory.handle(), memory.out());
    }

    /** @param unpacks whether the device wants a device handle to write */
    int accept(long listenComm, CommMemory memory, boolean unpacks) {
        return NetCalls.pointers(accept, listenComm, memory.out());
    }

    /** Longest memory of one registration. */
    long mostRegistered() {
        return INT_BYTES;
    }

    int register(long comm, CommMemory memory, long data, long bytes, int type) {
        return NetCalls.registerInt(register, comm, data, (int) bytes, type, memory.out());
    }

    final int deregister(long comm, long memoryHandle) {
        return NetCalls.pointers(deregister, comm, memoryHandle);
    }

    /** Longest single message, before what the device's properties say. */
    long mostSent() {
        return INT_BYTES;
    }

    int send(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        return NetCalls.sendInt(send, comm, data, (int) bytes, TAG, memoryHandle, memory.request());
    }

    int receive(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        memory.receiveInt(data, (int) bytes, memoryHandle);
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

    final int test(long request, CommMemory memory) {
        return NetCalls.threePointers(test, request, memory.done(), memory.doneSizes());
    }

    final boolean hasFlush() {
        return hasFlush;
    }

    /** Begins to make received bytes visible to the GPU; its request may be null: then they are. Sizes are ints in every version. */
    final int flush(long comm, CommMemory memory, long data, long bytes, long memoryHandle) {
        memory.receiveInt(data, (int) Math.min(bytes, Integer.MAX_VALUE), memoryHandle);
        return NetCalls.flush(flush, comm, 1, memory.data(), memory.sizes(), memory.memoryHandles(), memory.request());
    }

    /** Gives a finished receive back; nothing to do where the plugin has no such function. */
    int consumed(long comm, long request) {
        return NcclResult.SUCCESS;
    }

    final int closeSend(long comm) {
        return NetCalls.pointer(functions.get(NetFunction.CLOSE_SEND), comm);
    }

    final int closeReceive(long comm) {
        return NetCalls.pointer(functions.get(NetFunction.CLOSE_RECV), comm);
    }

    final int closeListen(long listenComm) {
        return NetCalls.pointer(functions.get(NetFunction.CLOSE_LISTEN), listenComm);
    }

    /** Undoes {@link #init}. @return whether the plugin knows how to, and so must be initialised again */
    boolean finish() {
        return false;
    }
}
