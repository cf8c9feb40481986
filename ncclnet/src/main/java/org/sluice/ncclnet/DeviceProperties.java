package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a plugin says about a device ({@code ncclNetProperties_v5_t} to {@code _v12_t}).
 *
 * @param name its field name
 * @param pciPath sysfs path of the PCI device, empty where the plugin gives none
 * @param memoryTypes {@code NCCL_PTR_} bits of the memory it takes
 * @param megabitsPerSecond link speed
 * @param maxComms most comms of the device
 * @param deviceType {@code NCCL_NET_DEVICE_} type: who finishes a receive
 * @param deviceVersion of the device type's protocol
 * @param maxBytes longest message, 0 where the version does not say
 */
record DeviceProperties(
        String name,
        String pciPath,
        int memoryTypes,
        int megabitsPerSecond,
        int maxComms,
        int deviceType,
        int deviceVersion,
        long maxBytes) {
    static final int PTR_HOST = 1;
    static final int PTR_CUDA = 2;
    static final int PTR_DMABUF = 4;

    /** NCCL_NET_DEVICE_HOST: the plugin itself puts received bytes where they belong. */
    static final int DEVICE_HOST = 0;

    /** NCCL_NET_DEVICE_UNPACK: received bytes wait in a bounce buffer, with a list of where they belong. */
    static final int DEVICE_UNPACK = 1;

    /** NCCL_NET_DEVICE_UNPACK_VERSION. */
    static final int UNPACK_VERSION = 7;

    /** More than any version writes; FastSocket writes a newer, longer structure than it was asked for. */
    static final long STRUCT_BYTES = 512;

    static DeviceProperties read(int version, MemorySegment p) {
        // ints after ptrSupport; regIsGlobal came with version 8 and forceFlush with 9, both before the speed
        int moved = (version >= 8 ? 4 : 0) + (version >= 9 ? 4 : 0);
        boolean typed = version >= 7;
        // after vProps, which is 20 bytes long and since version 12 36
        int maxP2pBytes = version >= 12 ? 104 : 88;
        return new DeviceProperties(
                Libc.text(p.get(ValueLayout.JAVA_LONG, 0)),
                Libc.text(p.get(ValueLayout.JAVA_LONG, 8)),
                p.get(ValueLayout.JAVA_INT, 24),
                p.get(ValueLayout.JAVA_INT, 28 + moved),
                p.get(ValueLayout.JAVA_INT, 40 + moved),
                typed ? p.get(ValueLayout.JAVA_INT, 48 + moved) : DEVICE_HOST,
                typed ? p.get(ValueLayout.JAVA_INT, 52 + moved) : 0,
                version >= 9 ? p.get(ValueLayout.JAVA_LONG, maxP2pBytes) : 0);
    }

    boolean unpacks() {
        return deviceType == DEVICE_UNPACK;
    }
}
