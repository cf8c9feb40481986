package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.UnpackQueue;
import org.sluice.stats.ChannelCounters;

/**
 * An accepted receiving channel, handed to the engine.
 *
 * @param index its number on the link
 * @param generation how often the channel was accepted before
 * @param staging the link's part in the pinned slots where the transport cannot take the GPU's memory, else null
 * @param unpack the GPU's unpack queue where the transport scatters, else null
 * @param takesLists whether the transport takes messages of many pieces
 */
public record InboundEnd(
        int index,
        int generation,
        ReceiveChannel channel,
        ChannelCounters counters,
        @Nullable StagingShare staging,
        @Nullable UnpackQueue unpack,
        boolean takesLists) {}
