package org.sluice;

import java.util.List;

/**
 * What a link has done so far.
 *
 * @param gpu the local GPU
 * @param peer the peer's address and GPU, as messages name it
 * @param channels what each channel has carried, sending channels first
 */
public record LinkStats(int gpu, String peer, TransferStats transfers, List<ChannelStats> channels) {
    public LinkStats {
        channels = List.copyOf(channels);
    }
}
