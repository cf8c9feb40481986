package org.sluice.transfer;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.LinkException;
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

    /** Between two looks at a close under way. */
    private static final long LOOK_NANOS = 100_000;

    /** How long a link that ends waits for a close: below every sensible peer timeout. */
    private static final long CLOSE_NANOS = 2_000_000_000;

    final int index;
    final int generation;
    final C channel;
    final ChannelCounters counters;
    final @Nullable ChannelTiming timing;
    private @Nullable Registered[] registered = new Registered[4];
    private @Nullable Registration[] slotRegistrations = {};
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

    /** Makes everything known that a transfer's pieces lie in. @return the registration of the one that begins at {@code offset} */
    final Registration registrations(PieceMap map, long offset) throws TransportException {
        for (int i = 0; map.blocks() > 1 && i < map.blocks(); i++) {
            registration(map.block(i));
        }
        return registration(map.blockAt(offset));
    }

    /** The registration of memory with slots, made on first use. @param number of that memory among such of this channel */
    final Registration registrationOfSlots(int number, GpuMemory slots) throws TransportException {
        if (number >= slotRegistrations.length) {
            slotRegistrations = Arrays.copyOf(slotRegistrations, number + 1);
        }
        Registration found = slotRegistrations[number];
        if (found == null) {
            found = channel.register(slots);
            slotRegistrations[number] = found;
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

    /**
     * What is registered goes with the channel, whose transport knows the order: with requests in flight memory must stay known until
     * they are given up. Idempotent.
     */
    void close() {
        if (open) {
            open = false;
            channel.close();
        }
    }

    /**
     * Whether the transport neither reads nor writes memory for this closed channel any more, so that what was in flight may be given
     * up: until then its memory belongs to it.
     *
     * @throws LinkException when the transport cannot end it: nobody knows what is written to memory from then on
     */
    final boolean isClosed() {
        try {
            return channel.isClosed();
        } catch (TransportException e) {
            throw new LinkException("channel " + index + ": " + e.getMessage(), e);
        }
    }

    /**
     * Waits until {@link #isClosed}, but not so long that the GPU's other links would be taken for dead.
     *
     * @return false when it is not closed: what the transport was given is its own for good
     */
    final boolean awaitClosed() {
        long end = System.nanoTime() + CLOSE_NANOS;
        try {
            while (!isClosed()) {
                if (System.nanoTime() - end > 0) {
                    throw new LinkException(
                            "channel " + index + " (" + channel.description() + "): its close has not come back");
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
            return true;
        } catch (LinkException e) {
            log.error("{}; do not free or reuse the memory of the transfers that fail now", e.getMessage());
            return false;
        }
    }

    /** As {@link #close}, where nobody is left to tell what goes wrong. */
    final void closeForGood() {
        try {
            close();
        } catch (Throwable e) {
            log.warn("channel {}: while closing: {}", index, e.toString(), e instanceof GpuException ? null : e);
        }
    }
}
