package org.sluice.transfer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.Channel;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
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
    private static final Logger log = LoggerFactory.getLogger(ChannelEnd.class);

    final int index;
    final int generation;
    final C channel;
    final ChannelCounters counters;
    final @Nullable ChannelTiming timing;
    private @Nullable Registered[] registered = new Registered[4];
    private @Nullable Registration stagingRegistration;
    private boolean open = true;
    private @Nullable String lostBecause;

    /** The memory is kept with it: a block's number serves another block once it is free. */
    private record Registered(GpuMemory memory, Registration registration) {
        @SuppressWarnings("ReferenceEquality")
        boolean isOf(MemoryBlock block) {
            return memory == block.memory();
        }
    }

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
        if (n >= registered.length) {
            registered = Arrays.copyOf(registered, Math.max(n + 1, registered.length * 2));
        }
        Registered found = registered[n];
        if (found != null) {
            if (found.isOf(block)) {
                return found.registration;
            }
            registered[n] = null;
            found.registration.close();
        }
        Registration made = channel.register(block.memory());
        registered[n] = new Registered(block.memory(), made);
        return made;
    }

    /** The registration of the channel's staging slots, made on first use. */
    final Registration registration(StagingRing staging) throws TransportException {
        Registration found = stagingRegistration;
        if (found == null) {
            found = channel.register(staging.memory);
            stagingRegistration = found;
        }
        return found;
    }

    final void forget(MemoryBlock block) throws TransportException {
        int n = block.number();
        Registered found = n < registered.length ? registered[n] : null;
        if (found != null && found.isOf(block)) {
            registered[n] = null;
            found.registration.close();
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
            for (Registered r : registered) {
                deregister(r == null ? null : r.registration);
            }
            deregister(stagingRegistration);
            channel.close();
        }
    }

    /** As {@link #close}, where nobody is left to tell what goes wrong. */
    final void closeForGood() {
        try {
            close();
        } catch (GpuException e) {
            log.warn("channel {} ({}): {}", index, channel.description(), e.getMessage());
        }
    }

    private static void deregister(@Nullable Registration registration) {
        try {
            if (registration != null) {
                registration.close();
            }
        } catch (TransportException e) {
            // the channel is going away, and with it what was registered there
        }
    }
}
