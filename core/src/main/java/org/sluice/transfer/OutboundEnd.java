package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.SendChannel;
import org.sluice.stats.ChannelCounters;

/**
 * A connected sending channel, handed to the engine.
 *
 * @param index its number on the link
 * @param generation how often the channel was connected before: tells grants of its lives apart
 * @param staging the link's part in the pinned slots where the transport cannot take the GPU's memory, else null
 * @param takesLists whether the transport takes messages of many pieces
 */
public record OutboundEnd(
        int index,
        int generation,
        SendChannel channel,
        ChannelCounters counters,
        @Nullable StagingShare staging,
        boolean takesLists) {}
