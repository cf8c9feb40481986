package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The native memory of one connection: its handle and everything that calls pass by address. Plugins keep pointers into it (a
 * handle holds the state of a connect under way, a device handle lives as long as its comm), so it never moves, and memory of an
 * attempt that was given up is never used again: a plugin's thread may still write there.
 */
final class CommMemory {
    // handle, then the 32-byte ncclNetDeviceHandle, 16-byte aligned, then what calls point at
    private static final long HANDLE = 0;
    private static final long DEVICE_HANDLE = 128;
    private static final long DEVICE_HANDLE_POINTER = 160;
    private static final long OUT = 168;
    private static final long REQUEST = 176;
    private static final long DONE = 184;
    private static final long DONE_SIZES = 188;
    private static final long DATA = 192;
    private static final long SIZES = 200;
    private static final long TAGS = 208;
    private static final long MEMORY_HANDLES = 216;
    private static final long PROFILER_HANDLES = 224;
    private static final long CONFIG = 232;
    private static final long BYTES = 256;
    private static final int PER_SLAB = 64;

    /** NCCL_NET_TRAFFIC_CLASS_UNDEF. */
    private static final int NO_TRAFFIC_CLASS = -1;

    private static final Deque<MemorySegment> FREE = new ArrayDeque<>();

    private final MemorySegment memory;
    private final long address;

    private CommMemory(MemorySegment memory) {
        this.memory = memory;
        this.address = memory.address();
    }

    /** Cleared memory, from the process's own supply. Any thread. */
    static CommMemory take() {
        MemorySegment free;
        synchronized (FREE) {
            if (FREE.isEmpty()) {
                MemorySegment slab = Arena.global().allocate(PER_SLAB * BYTES, BYTES);
                for (int i = 0; i < PER_SLAB; i++) {
                    FREE.add(slab.asSlice(i * BYTES, BYTES));
                }
            }
            free = FREE.remove();
        }
        free.fill((byte) 0);
        free.set(ValueLayout.JAVA_INT, CONFIG, NO_TRAFFIC_CLASS);
        return new CommMemory(free);
    }

    /** Gives the memory back: only when the plugin is done with the comm. */
    void giveBack() {
        synchronized (FREE) {
            FREE.add(memory);
        }
    }

    long handle() {
        return address + HANDLE;
    }

    byte[] handleBytes() {
        return memory.asSlice(HANDLE, DEVICE_HANDLE - HANDLE).toArray(ValueLayout.JAVA_BYTE);
    }

    void handleBytes(byte[] bytes) {
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, HANDLE, bytes.length);
    }

    /** A {@code DeviceHandle**} to this memory's device handle; plugins that unpack write it, and crash where it is null. */
    long ownDeviceHandle() {
        memory.set(ValueLayout.JAVA_LONG, DEVICE_HANDLE_POINTER, address + DEVICE_HANDLE);
        return address + DEVICE_HANDLE_POINTER;
    }

    /** A {@code DeviceHandle**} to null: for senders, and where nothing unpacks. */
    long noDeviceHandle() {
        memory.set(ValueLayout.JAVA_LONG, DEVICE_HANDLE_POINTER, 0);
        return address + DEVICE_HANDLE_POINTER;
    }

    // struct ncclNetDeviceHandle_v7 to _v12 { int type; int version; void* handle; size_t size; int needsProxyProgress;
    // }

    int deviceType() {
        return memory.get(ValueLayout.JAVA_INT, DEVICE_HANDLE);
    }

    int deviceVersion() {
        return memory.get(ValueLayout.JAVA_INT, DEVICE_HANDLE + 4);
    }

    long deviceHandle() {
        return memory.get(ValueLayout.JAVA_LONG, DEVICE_HANDLE + 8);
    }

    long deviceHandleBytes() {
        return memory.get(ValueLayout.JAVA_LONG, DEVICE_HANDLE + 16);
    }

    /** Where a comm or a memory handle is written. Cleared: some plugins leave it alone. */
    long out() {
        memory.set(ValueLayout.JAVA_LONG, OUT, 0);
        return address + OUT;
    }

    long outValue() {
        return memory.get(ValueLayout.JAVA_LONG, OUT);
    }

    /** Where a request is written. Cleared: since API 9 what is there counts as a hint. */
    long request() {
        memory.set(ValueLayout.JAVA_LONG, REQUEST, 0);
        return address + REQUEST;
    }

    long requestValue() {
        return memory.get(ValueLayout.JAVA_LONG, REQUEST);
    }

    long done() {
        memory.set(ValueLayout.JAVA_INT, DONE, 0);
        return address + DONE;
    }

    boolean isDone() {
        return memory.get(ValueLayout.JAVA_INT, DONE) != 0;
    }

    /** Where a size may be written; nobody reads it, since plugins write none or a wrong one. */
    long doneSizes() {
        return address + DONE_SIZES;
    }

    /** Fills the arrays of one element that {@code irecv} takes, with an {@code int} size. */
    void receiveInt(long data, int bytes, long memoryHandle) {
        memory.set(ValueLayout.JAVA_INT, SIZES, bytes);
        memory.set(ValueLayout.JAVA_LONG, DATA, data);
        memory.set(ValueLayout.JAVA_LONG, MEMORY_HANDLES, memoryHandle);
    }

    /** The same with a {@code size_t}. */
    void receiveWide(long data, long bytes, long memoryHandle) {
        memory.set(ValueLayout.JAVA_LONG, SIZES, bytes);
        memory.set(ValueLayout.JAVA_LONG, DATA, data);
        memory.set(ValueLayout.JAVA_LONG, MEMORY_HANDLES, memoryHandle);
    }

    long data() {
        return address + DATA;
    }

    long sizes() {
        return address + SIZES;
    }

    /** Constant tags: plugins with one receive at a time match in order and read none. */
    long tags() {
        return address + TAGS;
    }

    long memoryHandles() {
        return address + MEMORY_HANDLES;
    }

    long profilerHandles() {
        return address + PROFILER_HANDLES;
    }

    /** An {@code ncclNetCommConfig} with nothing asked for. */
    long config() {
        return address + CONFIG;
    }
}
