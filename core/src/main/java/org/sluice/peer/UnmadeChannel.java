package org.sluice.peer;

import org.sluice.spi.GpuMemory;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/**
 * In the place of a channel whose rail does not work when its link is made: lost before it was there. {@link ChannelRepair} brings it
 * to life when the rail works.
 *
 * @param nic of this side
 */
record UnmadeChannel(String nic) implements SendChannel, ReceiveChannel {
    private TransportException never() {
        return new TransportException("the channel on " + nic + " has not been made yet");
    }

    @Override
    public Registration register(GpuMemory memory) {
        return () -> {};
    }

    @Override
    public boolean send(Registration memory, long address, long bytes, long message, long offset)
            throws TransportException {
        throw never();
    }

    @Override
    public boolean receive(Registration memory, long address, long bytes, long message, long offset)
            throws TransportException {
        throw never();
    }

    @Override
    public int test() {
        return PENDING;
    }

    @Override
    public ScatterList scattered() throws TransportException {
        throw never();
    }

    @Override
    public void consumed() throws TransportException {
        throw never();
    }

    @Override
    public String description() {
        return nic + " (not made yet)";
    }

    @Override
    public void close() {}
}
