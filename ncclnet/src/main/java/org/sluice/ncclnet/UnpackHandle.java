package org.sluice.ncclnet;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/**
 * What an unpacking plugin gives with a receive comm, in GPU memory: {@code struct unpackNetDeviceHandle { netUnpackMeta* meta;
 * void* bounce_buf; uint64_t head; }} of NCCL_NET_DEVICE_UNPACK version 7. Read once.
 *
 * @param descriptors where kernels find the lists of all slots, {@code struct netUnpackMeta}; 0 where they cannot read them
 * @param bounceBuffer the GPU's address of the buffer that descriptors point into; 0 where this GPU cannot reach it
 */
record UnpackHandle(long descriptors, long bounceBuffer) {
    /** Slots of a comm: NCCL's unpack queue depth. Their lists, of the most descriptors each, lie in a row. */
    static final int SLOTS = 16;

    static final long LIST_BYTES = (long) ScatterList.MAX_DESCRIPTORS * ScatterList.DESCRIPTOR_BYTES;

    private static final long STRUCT_BYTES = 24;
    private static final long META = 0;
    private static final long BOUNCE_BUFFER = 8;

    static UnpackHandle read(CommPlace place, CommMemory memory) throws TransportException {
        if (memory.deviceType() != DeviceProperties.DEVICE_UNPACK
                || memory.deviceVersion() != DeviceProperties.UNPACK_VERSION
                || memory.deviceHandle() == 0
                || memory.deviceHandleBytes() < STRUCT_BYTES) {
            throw new TransportException(place.description() + " accepted with a device handle of type "
                    + memory.deviceType() + ", version " + memory.deviceVersion() + ", " + memory.deviceHandleBytes()
                    + " bytes; expected were type " + DeviceProperties.DEVICE_UNPACK + ", version "
                    + DeviceProperties.UNPACK_VERSION + ", " + STRUCT_BYTES + " bytes");
        }
        Gpu gpu = place.gpu;
        if (gpu.memoryKind() == MemoryKind.HOST && !isReadable(memory.deviceHandle())) {
            // it is of no use to host memory, which such a plugin fills directly
            return new UnpackHandle(0, 0);
        }
        try (Arena arena = Arena.ofConfined();
                GpuMemory there = gpu.adopt(memory.deviceHandle(), STRUCT_BYTES)) {
            MemorySegment handle = arena.allocate(STRUCT_BYTES, Long.BYTES);
            gpu.read(there, 0, handle);
            long meta = handle.get(ValueLayout.JAVA_LONG, META);
            return new UnpackHandle(
                    gpu.canRead(meta, SLOTS * LIST_BYTES) ? meta : 0, handle.get(ValueLayout.JAVA_LONG, BOUNCE_BUFFER));
        }
    }

    /** Whether the CPU may read an address: it would crash the JVM otherwise. */
    private static boolean isReadable(long address) {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.anyMatch(line -> {
                int dash = line.indexOf('-');
                int space = line.indexOf(' ');
                long start = Long.parseUnsignedLong(line, 0, dash, 16);
                long end = Long.parseUnsignedLong(line, dash + 1, space, 16);
                return line.charAt(space + 1) == 'r'
                        && Long.compareUnsigned(start, address) <= 0
                        && Long.compareUnsigned(address, end - STRUCT_BYTES) <= 0;
            });
        } catch (IOException e) {
            return false;
        }
    }
}
