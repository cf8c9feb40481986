package org.sluice.data;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.Registration;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelTiming;

/**
 * This node's end of a channel: the transport's object, its number and generation, what is registered on it and what it has
 * carried. Belongs to the agent.
 *
 * @param <C> the transport's side, sending or receiving
 */
abstract class ChannelEnd<C extends Channel> {
    final int index;
    final int generation;
    final C channel;
    final ChannelCounters counters;
    final @Nullable ChannelTiming timing;
    private @Nullable Registration[] registrations = new Registration[4];
    private boolean open = true;
    private @Nullable String lostBecause;

    ChannelEnd(int index, int generation, C channel, ChannelCounters counters) {
        this.index = index;
        this.generation = generation;
        this.channel = channel;
        this.counters = counters;
        this.timing = counters.timing();
    }

    /** The block's registration on this channel, made on first use. */
    final Registration registration(MemoryBlock block) throws TransportException {
        int n = block.number();
        if (n < registrations.length) {
            Registration found = registrations[n];
            if (found != null) {
                return found;
            }
        } else {
            registrations = Arrays.copyOf(registrations, Math.max(n + 1, registrations.length * 2));
        }
        Registration made = channel.register(block.memory());
        registrations[n] = made;
        return made;
    }

    final void forget(MemoryBlock block) throws TransportException {
        int n = block.number();
        if (n < registrations.length) {
            Registration found = registrations[n];
            registrations[n] = null;
            if (found != null) {
                found.close();
            }
        }
    }

    final boolean isOpen() {
        return open;
    }

    /** Why it was lost; null while it is not. */
    final @Nullable String lostBecause() {
        return lostBecause;
    }

    final void lost(String why) {
        lostBecause = why;
    }

    /** After it returns, the transport neither reads nor writes memory for this channel. Idempotent. */
    void close() {
        if (open) {
            open = false;
            for (Registration r : registrations) {
                if (r != null) {
                    try {
                        r.close();
                    } catch (TransportException e) {
                        // the channel is going away, and with it what was registered there
                    }
                }
            }
            channel.close();
        }
    }
}
