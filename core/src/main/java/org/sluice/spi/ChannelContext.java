package org.sluice.spi;

/**
 * Who a channel is for.
 *
 * @param gpu the local GPU
 * @param channel its number on the link, from 0
 * @param doorbell wakes the agent; transports that make progress inside {@code test} ignore it
 * @param keys keys for transports that encrypt
 */
public record ChannelContext(Gpu gpu, int channel, Doorbell doorbell, ChannelKeys keys) {
    /** Without keys. */
    public ChannelContext(Gpu gpu, int channel, Doorbell doorbell) {
        this(gpu, channel, doorbell, ChannelKeys.NONE);
    }
}
