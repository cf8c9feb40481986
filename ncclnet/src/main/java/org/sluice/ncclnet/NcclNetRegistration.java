package org.sluice.ncclnet;

import java.util.ArrayList;
import java.util.List;
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
    private static final long PAGE = 4096;

    private final NcclNetChannel channel;
    private final GpuMemory block;
    private final long end;
    private final boolean needsFence;
    private final List<MemoryHandle> handles = new ArrayList<>();
    private boolean ready;

    private NcclNetRegistration(NcclNetChannel channel, GpuMemory block, long end) {
        this.channel = channel;
        this.block = block;
        this.end = end;
        CommPlace place = channel.place;
        this.needsFence = block.kind() != MemoryKind.HOST
                && !place.nic.scatters()
                && (place.api.hasFlush() || place.gpu.remoteWritesNeedFlush());
    }

    static NcclNetRegistration make(NcclNetChannel channel, GpuMemory block) throws TransportException {
        CommPlace place = channel.place;
        if (!place.nic.memory().contains(block.kind())) {
            throw new TransportException(
                    place.description() + " does not take " + block.kind() + " memory, only " + place.nic.memory());
        }
        if (place.nic.scatters() && block.address() % PAGE != 0) {
            throw new TransportException(
                    place.description() + " takes memory that starts on a multiple of 4096 only, this starts at 0x"
                            + Long.toHexString(block.address()) + "; allocate it with Sluice, or align it");
        }
        long size = registered(place, block);
        NcclNetRegistration made = new NcclNetRegistration(channel, block, block.address() + size);
        long most = place.api.mostRegistered();
        int count = size <= most ? 1 : Math.toIntExact((size + STRIDE - 1) / STRIDE);
        int type = block.kind() == MemoryKind.HOST ? DeviceProperties.PTR_HOST : DeviceProperties.PTR_CUDA;
        try {
            for (int i = 0; i < count; i++) {
                long offset = i * STRIDE;
                made.handles.add(MemoryHandle.make(
                        place, channel.comm, block.address() + offset, Math.min(size - offset, most), type));
            }
        } catch (TransportException e) {
            made.close();
            throw e;
        }
        return made;
    }

    /**
     * How much of a block is registered. TCPX passes the size as it is to the driver's export of a dmabuf, which takes whole pages of a
     * GPU's memory: all of the last page where it is the block's, else none of it.
     */
    private static long registered(CommPlace place, GpuMemory block) throws TransportException {
        if (block.kind() == MemoryKind.HOST) {
            return block.size();
        }
        long most = block.registrable();
        if (!place.nic.scatters()) {
            return most;
        }
        if (most < PAGE) {
            throw new TransportException(place.description() + " takes whole pages of 4096 bytes, this memory has "
                    + most + " bytes; allocate it with Sluice, or adopt whole pages");
        }
        return most & -PAGE;
    }

    @Override
    public boolean needsFence() {
        return needsFence;
    }

    boolean isHost() {
        return block.kind() == MemoryKind.HOST;
    }

    /** Whether the plugin knows all of it. @throws TransportException where it refused, or does not come back */
    boolean isReady() throws TransportException {
        if (!ready) {
            for (MemoryHandle h : handles) {
                if (!h.isReady()) {
                    return false;
                }
            }
            ready = true;
        }
        return true;
    }

    /** The memory handle that holds a message. @throws TransportException where it reaches into a page that could not be registered */
    long handle(long address, long bytes) throws TransportException {
        if (bytes > end - address) {
            throw new TransportException(
                    channel.place.description() + " takes whole pages of 4096 bytes only: the last "
                            + (block.size() - (end - block.address())) + " bytes of the memory at 0x"
                            + Long.toHexString(block.address())
                            + " cannot be sent or received; allocate it with Sluice, or adopt"
                            + " whole pages");
        }
        return handles.size() == 1
                ? handles.getFirst().value()
                : handles.get((int) ((address - block.address()) / STRIDE)).value();
    }

    /** What is left to deregister, for a channel that closes. */
    List<MemoryHandle> surrender() {
        List<MemoryHandle> left = List.copyOf(handles);
        handles.clear();
        return left;
    }

    @Override
    public void close() throws TransportException {
        channel.forget(this);
        CommPlace place = channel.place;
        for (MemoryHandle h : surrender()) {
            place.service().call(place, PluginCall.DEREGISTER, place.agentNanos(), () -> h.deregister(channel.comm));
        }
    }
}
