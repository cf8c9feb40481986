package org.sluice.ncclnet;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Calls into a plugin: one {@code static final} handle for each C signature, called with the function's address, which costs 8 ns
 * where a handle per plugin object costs 27. Pointers travel as {@code long}, which the ABIs of x86-64 and AArch64 pass alike.
 * Every function returns an {@code ncclResult_t}.
 *
 * <p>Never {@code critical}: plugins call back into the log.
 */
@SuppressWarnings("restricted")
final class NetCalls {
    private static final MemoryLayout P = ValueLayout.JAVA_LONG;
    private static final MemoryLayout I = ValueLayout.JAVA_INT;

    private static final MethodHandle POINTER = handle(P);
    private static final MethodHandle POINTERS = handle(P, P);
    private static final MethodHandle THREE_POINTERS = handle(P, P, P);
    private static final MethodHandle INIT_CONTEXT = handle(P, P, P, P, P);
    private static final MethodHandle DEVICE = handle(I, P);
    private static final MethodHandle DEVICE_HANDLE = handle(I, P, P);
    private static final MethodHandle CONNECT = handle(I, P, P, P);
    private static final MethodHandle CONNECT_CONFIGURED = handle(I, P, P, P, P);
    private static final MethodHandle LISTEN_IN = handle(P, I, P, P);
    private static final MethodHandle CONNECT_IN = handle(P, I, P, P, P);
    private static final MethodHandle REGISTER_INT = handle(P, P, I, I, P);
    private static final MethodHandle REGISTER_WIDE = handle(P, P, P, I, P);
    private static final MethodHandle SEND_INT = handle(P, P, I, I, P, P);
    private static final MethodHandle SEND_WIDE = handle(P, P, P, I, P, P);
    private static final MethodHandle SEND_PROFILED = handle(P, P, P, I, P, P, P);
    private static final MethodHandle RECEIVE = handle(P, I, P, P, P, P, P);
    private static final MethodHandle RECEIVE_PROFILED = handle(P, I, P, P, P, P, P, P);
    private static final MethodHandle CONSUMED = handle(P, I, P);
    private static final MethodHandle FLUSH = handle(P, I, P, P, P, P);

    private NetCalls() {}

    private static MethodHandle handle(MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    /** {@code devices(int*), init(log), closeSend(comm), finalize(context)}. */
    static int pointer(MemorySegment f, long a) {
        try {
            return (int) POINTER.invokeExact(f, a);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code init(log, profiler), accept(listen, comm*), deregMr(comm, handle)}. */
    static int pointers(MemorySegment f, long a, long b) {
        try {
            return (int) POINTERS.invokeExact(f, a, b);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code accept(listen, comm*, deviceHandle**), test(request, done*, sizes*)}. */
    static int threePointers(MemorySegment f, long a, long b, long c) {
        try {
            return (int) THREE_POINTERS.invokeExact(f, a, b, c);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code init(context*, commId, config*, log, profiler)}. */
    static int initContext(MemorySegment f, long context, long id, long config, long log, long profiler) {
        try {
            return (int) INIT_CONTEXT.invokeExact(f, context, id, config, log, profiler);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code getProperties(device, properties*)}. */
    static int device(MemorySegment f, int device, long out) {
        try {
            return (int) DEVICE.invokeExact(f, device, out);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code listen(device, handle, comm*) and connect before API 7}. */
    static int deviceHandle(MemorySegment f, int device, long handle, long out) {
        try {
            return (int) DEVICE_HANDLE.invokeExact(f, device, handle, out);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code connect(device, handle, comm*, deviceHandle**)}. */
    static int connect(MemorySegment f, int device, long handle, long out, long deviceHandle) {
        try {
            return (int) CONNECT.invokeExact(f, device, handle, out, deviceHandle);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code connect(device, config*, handle, comm*, deviceHandle**)}. */
    static int connectConfigured(MemorySegment f, int device, long config, long handle, long out, long deviceHandle) {
        try {
            return (int) CONNECT_CONFIGURED.invokeExact(f, device, config, handle, out, deviceHandle);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code listen(context, device, handle, comm*)}. */
    static int listenIn(MemorySegment f, long context, int device, long handle, long out) {
        try {
            return (int) LISTEN_IN.invokeExact(f, context, device, handle, out);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code connect(context, device, handle, comm*, deviceHandle**)}. */
    static int connectIn(MemorySegment f, long context, int device, long handle, long out, long deviceHandle) {
        try {
            return (int) CONNECT_IN.invokeExact(f, context, device, handle, out, deviceHandle);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code regMr(comm, data, int size, type, handle*)}. */
    static int registerInt(MemorySegment f, long comm, long data, int size, int type, long out) {
        try {
            return (int) REGISTER_INT.invokeExact(f, comm, data, size, type, out);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code regMr(comm, data, size_t size, type, handle*)}. */
    static int registerWide(MemorySegment f, long comm, long data, long size, int type, long out) {
        try {
            return (int) REGISTER_WIDE.invokeExact(f, comm, data, size, type, out);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code isend(comm, data, int size, tag, handle, request*)}. */
    static int sendInt(MemorySegment f, long comm, long data, int size, int tag, long handle, long request) {
        try {
            return (int) SEND_INT.invokeExact(f, comm, data, size, tag, handle, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code isend(comm, data, size_t size, tag, handle, request*)}. */
    static int sendWide(MemorySegment f, long comm, long data, long size, int tag, long handle, long request) {
        try {
            return (int) SEND_WIDE.invokeExact(f, comm, data, size, tag, handle, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code isend(comm, data, size_t size, tag, handle, profilerHandle, request*)}. */
    static int sendProfiled(
            MemorySegment f, long comm, long data, long size, int tag, long handle, long profiler, long request) {
        try {
            return (int) SEND_PROFILED.invokeExact(f, comm, data, size, tag, handle, profiler, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code irecv(comm, n, data**, sizes*, tags*, handles**, request*)}. */
    static int receive(
            MemorySegment f, long comm, int n, long data, long sizes, long tags, long handles, long request) {
        try {
            return (int) RECEIVE.invokeExact(f, comm, n, data, sizes, tags, handles, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code irecv(comm, n, data**, sizes*, tags*, handles**, profilerHandles**, request*)}. */
    static int receiveProfiled(
            MemorySegment f,
            long comm,
            int n,
            long data,
            long sizes,
            long tags,
            long handles,
            long profilers,
            long request) {
        try {
            return (int) RECEIVE_PROFILED.invokeExact(f, comm, n, data, sizes, tags, handles, profilers, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code irecvConsumed(comm, n, request)}. */
    static int consumed(MemorySegment f, long comm, int n, long request) {
        try {
            return (int) CONSUMED.invokeExact(f, comm, n, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code iflush(comm, n, data**, int* sizes, handles**, request*)}. */
    static int flush(MemorySegment f, long comm, int n, long data, long sizes, long handles, long request) {
        try {
            return (int) FLUSH.invokeExact(f, comm, n, data, sizes, handles, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
