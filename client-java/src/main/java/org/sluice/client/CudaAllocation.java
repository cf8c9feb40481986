package org.sluice.client;

/**
 * GPU memory of this process, as {@code cudaMalloc} gives it, for the daemon to open: Java 17 calls no CUDA, so whoever allocated it
 * (JCuda, JavaCPP) asks the driver.
 *
 * @param handle 64 bytes of {@code cuIpcGetMemHandle} of the allocation's first byte; memory that has none ({@code cudaMallocAsync}, virtual
 *     memory management, whose handles are descriptors) cannot be registered from Java
 * @param uuid 16 bytes of {@code cuDeviceGetUuid_v2} of its GPU
 * @param bytes of the whole allocation
 * @param bufferId the driver's {@code CU_POINTER_ATTRIBUTE_BUFFER_ID}, which tells memory of a recycled address; 0 where it was not asked
 */
public record CudaAllocation(byte[] handle, byte[] uuid, long bytes, long bufferId) {
    static final int HANDLE_BYTES = 64;
    static final int UUID_BYTES = 16;

    public CudaAllocation {
        if (handle.length != HANDLE_BYTES || uuid.length != UUID_BYTES) {
            throw new IllegalArgumentException(
                    "a handle has 64 bytes and a UUID 16, not " + handle.length + " and " + uuid.length);
        }
        handle = handle.clone();
        uuid = uuid.clone();
    }
}
