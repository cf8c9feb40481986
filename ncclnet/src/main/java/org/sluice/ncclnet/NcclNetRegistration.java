package org.sluice.ncclnet;

import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Registration;
import org.sluice.spi.TransportException;

/**
 * A block known to a comm. Where the plugin's sizes are ints a block beyond 2 GiB takes several handles, which overlap: each
 * starts a {@link #STRIDE} after the one before and is as long as it may be, so that every message lies within one.
 */
final class NcclNetRegistration implements Registration {
    /** Distance between the starts of two handles. */
    static final long STRIDE = 1L << 30;

    /** devmem TCP maps pages. */
    private static final long UNPACK_ALIGNMENT = 4096;

    private final NcclNetChannel channel;
    private final long base;
    private final long[] handles;

    private NcclNetRegistration(NcclNetChannel channel, long base, long[] handles) {
        this.channel = channel;
        this.base = base;
        this.handles = handles;
    }

    static NcclNetRegistration make(NcclNetChannel channel, GpuMemory block) throws TransportException {
        CommPlace place = channel.place;
        if (!place.nic.memory().contains(block.kind())) {
            throw new TransportException(
                    place.description() + " does not take " + block.kind() + " memory, only " + place.nic.memory());
        }
        if (place.nic.scatters() && block.address() % UNPACK_ALIGNMENT != 0) {
            throw new TransportException(
                    place.description() + " takes memory that starts on a multiple of 4096 only, this starts at 0x"
                            + Long.toHexString(block.address()) + "; allocate it with Sluice, or align it");
        }
        long most = place.api.mostRegistered();
        int count = block.size() <= most ? 1 : Math.toIntExact((block.size() + STRIDE - 1) / STRIDE);
        long[] handles = new long[count];
        for (int i = 0; i < count; i++) {
            long offset = i * STRIDE;
            long bytes = Math.min(block.size() - offset, most);
            int type = block.kind() == MemoryKind.HOST ? DeviceProperties.PTR_HOST : DeviceProperties.PTR_CUDA;
            try {
                handles[i] = channel.registerMemory(block.address() + offset, bytes, type);
            } catch (TransportException e) {
                new NcclNetRegistration(channel, block.address(), handles).close();
                throw e;
            }
        }
        return new NcclNetRegistration(channel, block.address(), handles);
    }

    /** The memory handle that holds a message at this address. */
    long handle(long address) {
        return handles.length == 1 ? handles[0] : handles[(int) ((address - base) / STRIDE)];
    }

    @Override
    public void close() throws TransportException {
        channel.forget(this);
        for (int i = 0; i < handles.length; i++) {
            long handle = handles[i];
            handles[i] = 0;
            if (handle != 0) {
                channel.deregisterMemory(handle);
            }
        }
    }
}
