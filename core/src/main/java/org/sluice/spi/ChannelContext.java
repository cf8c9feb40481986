package org.sluice.spi;

/**
 * Who a channel is for.
 *
 * @param gpu the local GPU
 * @param channel its number on the link, from 0
 * @param address place in {@link Nic#addresses()} of this side's address; 0 also where the NIC has none
 * @param peer the node at the other end; channels of the same peer may share connections. A listener is made before its peer is
 *     known, and so has a unique one
 * @param granted whether nothing is sent on the channel before the other end has posted a receive for it: only then may it share
 *     connections, since a reader that waits for a receive would hold the others up
 * @param doorbell wakes the agent; transports that make progress inside {@code test} ignore it
 * @param keys keys for transports that encrypt
 */
public record ChannelContext(
        Gpu gpu, int channel, int address, PeerId peer, boolean granted, Doorbell doorbell, ChannelKeys keys) {
    /** Of a channel that shares nothing, without keys, over the NIC's best address. */
    public ChannelContext(Gpu gpu, int channel, Doorbell doorbell) {
        this(gpu, channel, 0, PeerId.unique(), false, doorbell, ChannelKeys.NONE);
    }
}
