package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;

/**
 * What the peer says of transfers, checked and handed to the half that it concerns. Once the link has failed the peer is not heard:
 * frames that were read together with the one that ended it. Every method belongs to the agent, and throws {@link ProtocolException} where
 * the peer may not say that.
 */
public final class PeerRequests {
    private final EngineSettings settings;
    private final LinkControl control;
    private final PeerAccess peerAccess;
    private final NotificationListener notified;
    private final NotificationCredit credit;
    private final Along along;
    private final @Nullable PulledMemory memory;
    private final Outbound outbound;
    private final Inbound inbound;
    private final int outboundChannels;
    private final int inboundChannels;
    private final BooleanSupplier over;

    PeerRequests(
            LinkParts parts,
            RegionDirectory regions,
            Outbound outbound,
            int outboundChannels,
            Inbound inbound,
            int inboundChannels,
            BooleanSupplier over) {
        this.settings = parts.settings();
        this.control = parts.control();
        this.peerAccess = new PeerAccess(settings.where(), regions);
        this.notified = parts.notified();
        this.credit = parts.credit();
        this.along = new Along(settings.where());
        this.memory = parts.memory();
        this.outbound = outbound;
        this.outboundChannels = outboundChannels;
        this.inbound = inbound;
        this.inboundChannels = inboundChannels;
        this.over = over;
    }

    private boolean isOver() {
        return over.getAsBoolean();
    }

    /** The peer announced its n-th send, or accepted a read. */
    public void onOpen(Announcement send, long now) {
        if (isOver()) {
            return;
        }
        hasChannels(inboundChannels, send.id());
        inbound.transfers().announced(send, notification(send), bytes(send), source(send), now);
    }

    /** @param to the region, and {@code offset} in it; or the number of a layout where the announcement says so */
    public void onWrite(Announcement write, RemoteRegion to, long offset, int layout, long now) {
        if (isOver()) {
            return;
        }
        oneSided(inboundChannels, write.id());
        inbound.transfers().asked(write);
        byte[] notification = notification(write);
        MemorySegment bytes = bytes(write);
        PullSource source = source(write);
        PeerAccess.Access access = access(write, to, offset, layout, true);
        if (access != null) {
            inbound.transfers().serveWrite(write, access.map, notification, bytes, source, access, now);
            return;
        }
        if (source != null) {
            source.release();
        }
        if (notification != null) {
            notified.dropped(notification);
        }
    }

    public void onRead(Announcement read, RemoteRegion from, long offset, int layout) {
        if (isOver()) {
            return;
        }
        oneSided(outboundChannels, read.id());
        outbound.transfers().asked(read.id());
        byte[] notification = notification(read);
        PeerAccess.Access access = access(read, from, offset, layout, false);
        if (access != null) {
            outbound.transfers().serveRead(read.id(), access.map, notification, access);
        } else if (notification != null) {
            notified.dropped(notification);
        }
    }

    /** What the peer's next transfer carries for this side's program. @param bytes at most {@link TransferOptions#MOST_NOTIFICATION} */
    public void onNotification(byte[] bytes) {
        if (!isOver()) {
            along.notification(bytes);
            credit.hold(bytes);
        }
    }

    /** The bytes of the peer's next transfer, valid until {@link #onPause}. @param bytes at most {@link EngineSettings#MOST_SMALL_BYTES} */
    public void onBytes(MemorySegment bytes) {
        if (!isOver()) {
            along.bytes(bytes);
        }
    }

    /** Bytes that wait for their announcement still are where they came in, which is needed for what comes next. */
    public void onPause() {
        along.keep();
    }

    private byte @Nullable [] notification(Announcement a) {
        return along.takeNotification(a);
    }

    private @Nullable MemorySegment bytes(Announcement a) {
        return along.takeBytes(a);
    }

    /** Where the bytes can be pulled from; null where they come in chunks. */
    private @Nullable PullSource source(Announcement a) {
        if (!a.has(Announcement.PULLED)) {
            return null;
        }
        PulledMemory m = memory;
        if (m == null || a.has(Announcement.SMALL)) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer wants " + MessageId.toString(a.id()) + " pulled"
                            + (m == null ? ", on a link on which nothing is" : ", and sent its bytes too"));
        }
        return peerAccess.source(a.length(), m);
    }

    /** The peer's program has taken notifications. */
    public void onTaken(long cost) {
        if (!isOver()) {
            credit.back(cost);
        }
    }

    /** The peer, which sends it, wants a transfer to end. */
    public void onCancel(long id, EndReason why) {
        if (!isOver()) {
            inbound.transfers().cancelled(id, why);
        }
    }

    /** The peer, which receives it, has ended a transfer. */
    public void onEnded(long id, EndReason why) {
        if (!isOver()) {
            outbound.transfers().ended(id, why);
        }
    }

    /** The peer said a layout for a transfer that it is about to announce. */
    public void onLayout(int number, RemoteLayout layout) {
        if (!isOver()) {
            peerAccess.layout(number, layout);
        }
    }

    /** The layout that comes next by this number is for any number of transfers. */
    public void onPrepare(int number) {
        if (!isOver()) {
            peerAccess.prepare(number);
        }
    }

    /** No transfer of the peer's will name a prepared layout any more. */
    public void onRelease(int number) {
        if (!isOver()) {
            peerAccess.releasePrepared(number);
        }
    }

    /** Some pieces of a prepared layout, for a transfer that the peer is about to announce. @param total how many there are in all */
    public void onSelection(int number, int prepared, int total, IntBuffer indices) {
        if (!isOver()) {
            peerAccess.selection(number, prepared, total, indices);
        }
    }

    private PeerAccess.@Nullable Access access(
            Announcement a, RemoteRegion region, long offset, int layout, boolean target) {
        PeerAccess.Refusal refusal = why -> control.refused(a.id(), why, 0);
        if (a.has(Announcement.PREPARED)) {
            return peerAccess.prepared(layout, a.length(), target, refusal);
        }
        return a.has(Announcement.LAYOUT)
                ? peerAccess.layout(layout, a.length(), target, refusal)
                : peerAccess.range(region, offset, a.length(), target, refusal);
    }

    private void oneSided(int channels, long id) {
        if (!settings.confirmed()) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer asked for " + MessageId.toString(id) + " on a link that has no one-sided transfers");
        }
        hasChannels(channels, id);
    }

    private void hasChannels(int channels, long id) {
        if (channels == 0) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer began " + MessageId.toString(id) + " in a direction in which the link has no channels");
        }
    }

    public void onGrant(long id, long offset, long bytes, int channel, int generation) {
        if (isOver()) {
            return;
        }
        outbound.granted(id, offset, bytes, channel, generation);
    }

    public void onLanded(long id) {
        if (isOver()) {
            return;
        }
        outbound.transfers().confirmed(id);
    }

    public void onRefused(long id, TransferRefusal why, long detail) {
        if (isOver()) {
            return;
        }
        if (MessageId.kind(id) == MessageId.READ) {
            inbound.transfers().refused(id, why);
        } else {
            outbound.transfers().refused(id, why, detail);
        }
    }
}
