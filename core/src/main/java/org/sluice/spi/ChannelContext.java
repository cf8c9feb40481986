package org.sluice.spi;

/**
 * Who a channel is for.
 *
 * @param gpu the local GPU
 * @param channel its number on the link, from 0
 * @param address place in {@link Nic#addresses()} of this side's address; 0 also where the NIC has none
 * @param doorbell wakes the agent; transports that make progress inside {@code test} ignore it
 * @param keys keys for transports that encrypt
 */
public record ChannelContext(Gpu gpu, int channel, int address, Doorbell doorbell, ChannelKeys keys) {
    /** Without keys, over the best address. */
    public ChannelContext(Gpu gpu, int channel, Doorbell doorbell) {
        this(gpu, channel, 0, doorbell, ChannelKeys.NONE);
    }
}
