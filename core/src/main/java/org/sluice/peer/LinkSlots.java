package org.sluice.peer;

import org.jspecify.annotations.Nullable;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Gpu;
import org.sluice.spi.Nic;
import org.sluice.spi.PeerId;
import org.sluice.spi.Transport;
import org.sluice.transfer.Agent;
import org.sluice.transfer.StagingPool;
import org.sluice.transfer.StagingShare;

/**
 * A link's part in its GPU's pinned slots, where NICs cannot reach the GPU's memory: taken when the chunk size is agreed on, since that is
 * what a slot has to hold. Agent thread only.
 */
final class LinkSlots {
    private final Agent agent;
    private final Doorbell link;
    private final Transport transport;
    private final int perChannel;
    private @Nullable StagingShare sending;
    private @Nullable StagingShare receiving;

    /** @param link rung when a slot is free that it waits for @param perChannel most slots of a channel */
    LinkSlots(Agent agent, Doorbell link, Transport transport, int perChannel) {
        this.agent = agent;
        this.link = link;
        this.transport = transport;
        this.perChannel = perChannel;
    }

    /** @return the longest chunk that this side can do, at most what is wanted: less where slots are smaller */
    long fit(PeerId peer, long chunkBytes) {
        leave();
        if (transport.devices().stream().noneMatch(this::needsSlots)) {
            return chunkBytes;
        }
        return Math.min(
                chunkBytes,
                Math.min(
                        sending(peer, chunkBytes).slotBytes(),
                        receiving(peer, chunkBytes).slotBytes()));
    }

    /** What the chunks of a NIC go through; null where they need nothing. @throws LinkException when they do not fit */
    @Nullable StagingShare of(Nic nic, boolean sends, PeerId peer, long chunkBytes, Where where) {
        if (!needsSlots(nic)) {
            return null;
        }
        StagingShare slots = sends ? sending(peer, chunkBytes) : receiving(peer, chunkBytes);
        if (slots.slotBytes() < chunkBytes) {
            throw new LinkException(
                    where,
                    "chunks of " + chunkBytes + " bytes do not fit the pinned slots of " + slots.slotBytes()
                            + " bytes; give smaller chunks, or more memory for staging");
        }
        return slots;
    }

    private boolean needsSlots(Nic nic) {
        Gpu gpu = agent.gpu();
        return !gpu.hostAccessible() && !nic.memory().contains(gpu.memoryKind());
    }

    private StagingShare sending(PeerId peer, long chunkBytes) {
        StagingShare there = sending;
        if (there == null) {
            there = share(agent.sendSlots(), peer, chunkBytes);
            sending = there;
        }
        return there;
    }

    private StagingShare receiving(PeerId peer, long chunkBytes) {
        StagingShare there = receiving;
        if (there == null) {
            there = share(agent.receiveSlots(), peer, chunkBytes);
            receiving = there;
        }
        return there;
    }

    private StagingShare share(StagingPool pool, PeerId peer, long chunkBytes) {
        return pool.share(link, peer, chunkBytes, perChannel);
    }

    /** No channel of the link uses one any more. Idempotent. */
    void leave() {
        if (sending != null) {
            sending.close();
            sending = null;
        }
        if (receiving != null) {
            receiving.close();
            receiving = null;
        }
    }
}
