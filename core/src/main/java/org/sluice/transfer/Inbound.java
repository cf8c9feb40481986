package org.sluice.transfer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.sluice.LengthMismatchException;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.SluiceException;
import org.sluice.TransferRefusal;
import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/**
 * The receiving half of a link: matches announced sends with receives, posts chunk buffers on the channels as the striping says,
 * grants them, and confirms transfers whose last byte has landed. It alone knows what is missing.
 */
final class Inbound {
    private record Announced(long id, long length) {}

    private final EngineSettings settings;
    private final LinkControl control;
    private final @Nullable InboundChannel[] channels;
    private final Striping<InboundTransfer> striping;
    private final @Nullable PulledStriping pulled;
    private final @Nullable RoundRobinStriping<InboundTransfer> roundRobin;
    private final ChunkPick<InboundTransfer> pick = new ChunkPick<>();
    private final TransferTable<InboundTransfer> active = new TransferTable<>();
    /** Reads that the owner of the region has not accepted yet: nothing is posted for them, so a refusal leaves no trace. */
    private final TransferTable<InboundTransfer> requested = new TransferTable<>();

    private final ArrayDeque<InboundTransfer> receives = new ArrayDeque<>();
    private final ArrayDeque<Announced> announced = new ArrayDeque<>();
    private final Pulse pulse;
    private final BrokenChannelListener broken;
    private final @Nullable UnpackQueue unpack;
    private long receiveCount;
    private long announcedCount;
    private long reads;
    private long writesAsked;
    private int writing;
    private int unfinishedSends;
    private int nextToDeal;
    private long now;
    /** When there was last nothing to receive. */
    private long idleAt;

    Inbound(
            EngineSettings settings,
            LinkControl control,
            Pulse pulse,
            int channels,
            @Nullable UnpackQueue unpack,
            BrokenChannelListener broken) {
        this.settings = settings;
        this.control = control;
        this.pulse = pulse;
        this.channels = new InboundChannel[channels];
        this.unpack = unpack;
        this.broken = broken;
        if (settings.roundRobin()) {
            roundRobin = new RoundRobinStriping<>(channels);
            pulled = null;
            striping = roundRobin;
        } else {
            roundRobin = null;
            pulled = new PulledStriping();
            striping = pulled;
        }
    }

    void open(InboundChannel channel) {
        channels[channel.index] = channel;
    }

    @Nullable InboundChannel channel(int index) {
        return channels[index];
    }

    int unfinished() {
        return receives.size() + requested.size() + active.size();
    }

    void receive(MemoryBlock block, long offset, long length, Completion completion, long nanoTime) {
        now = nanoTime;
        receives.add(new InboundTransfer(
                MessageId.of(MessageId.TWO_SIDED, receiveCount++),
                block,
                offset,
                length,
                settings.chunkBytes(),
                completion));
        match();
    }

    void announced(long id, long length, long nanoTime) {
        now = nanoTime;
        InboundTransfer asked = requested.get(id);
        if (asked != null && asked.length == length) {
            requested.remove(id);
            start(asked);
            return;
        }
        if (MessageId.kind(id) != MessageId.TWO_SIDED || MessageId.count(id) != announcedCount || length < 0) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer announced " + MessageId.toString(id) + " of " + length + " bytes, expected was transfer "
                            + announcedCount);
        }
        if (unfinishedSends >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer announced more than " + EngineSettings.MAX_TRANSFERS
                            + " transfers that are not finished");
        }
        announcedCount++;
        unfinishedSends++;
        announced.add(new Announced(id, length));
        match();
    }

    /** The n-th send meets the n-th receive. Without a control connection nothing is announced: each receive stands for itself. */
    private void match() {
        while (!receives.isEmpty()) {
            if (settings.confirmed()) {
                Announced send = announced.poll();
                if (send == null) {
                    return;
                }
                InboundTransfer t = receives.remove();
                if (send.length != t.length) {
                    mismatch(t, send.length);
                } else {
                    start(t);
                }
            } else {
                start(receives.remove());
            }
        }
    }

    private void mismatch(InboundTransfer t, long sendLength) {
        SluiceException e = new LengthMismatchException(
                settings.where(),
                MessageId.toString(t.id)
                        + ": the peer sends " + sendLength + " bytes, this side's receive is of " + t.length
                        + "; give both sides the same length");
        unfinishedSends--;
        control.refused(t.id, TransferRefusal.LENGTH, t.length);
        t.completion.failed(e);
        if (roundRobin != null) {
            // the sender does not wait for grants: its chunks are on the wire already, and nobody can tell them apart
            throw new LinkException(settings.where(), e.what() + " (round-robin striping cannot go on after it)");
        }
    }

    /** The peer asks to write: its writes are numbered in turn, and not more than it may have unfinished. */
    void asked(long id) {
        if (MessageId.kind(id) != MessageId.WRITE || MessageId.count(id) != writesAsked) {
            throw new ProtocolException(
                    settings.where(),
                    "the peer asked for " + MessageId.toString(id) + ", expected was write " + writesAsked);
        }
        if (writing >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    settings.where(), "the peer has more than " + EngineSettings.MAX_TRANSFERS + " writes unfinished");
        }
        writesAsked++;
    }

    /** The peer writes into a region of ours; key and bounds are checked. */
    void serveWrite(long id, MemoryBlock block, long offset, long length, Completion completion, long nanoTime) {
        now = nanoTime;
        writing++;
        start(new InboundTransfer(id, block, offset, length, settings.chunkBytes(), completion));
    }

    void read(
            MemoryBlock block,
            long offset,
            long length,
            long keyHigh,
            long keyLow,
            long remoteOffset,
            Completion completion,
            long nanoTime) {
        now = nanoTime;
        InboundTransfer t = new InboundTransfer(
                MessageId.of(MessageId.READ, reads++), block, offset, length, settings.chunkBytes(), completion);
        control.read(t.id, keyHigh, keyLow, remoteOffset, length);
        requested.put(t);
    }

    /** The owner of the region will not let this side read. */
    void refused(long id, TransferRefusal why) {
        InboundTransfer t = requested.get(id);
        if (t == null) {
            throw new ProtocolException(
                    settings.where(), "the peer refused " + MessageId.toString(id) + ", which is not being read");
        }
        requested.remove(id);
        t.completion.failed(new RemoteAccessException(
                settings.where(), MessageId.toString(id) + " of " + t.length + " bytes", why));
    }

    private void start(InboundTransfer t) {
        t.startedAt = now;
        if (t.chunks == 0) {
            finish(t);
            return;
        }
        active.put(t);
        if (roundRobin != null) {
            roundRobin.add(t);
        } else if (pulled != null) {
            pulled.add(t);
        }
    }

    int doWork(long nanoTime) {
        now = nanoTime;
        if (active.size() == 0) {
            idleAt = now;
        }
        int work = 0;
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                try {
                    int arrived = c.arrive(this, now);
                    if (arrived > 0) {
                        pulse.heard(now);
                    }
                    checkRail(c);
                    work += arrived + c.land(this, now);
                } catch (TransportException e) {
                    lost(c, e);
                }
            } else if (c != null) {
                c.settle(this, now);
            }
        }
        work += deal();
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                try {
                    work += c.post(this, now);
                } catch (TransportException e) {
                    lost(c, e);
                }
            }
            if (c != null) {
                c.turned(now);
            }
        }
        if (unpack != null) {
            unpack.flush();
        }
        return work;
    }

    private void checkRail(InboundChannel c) throws TransportException {
        switch (c.rail(now, pulse.heardAt())) {
            case MOVING -> {}
            case SUSPECT -> pulse.ask(now);
            case DEAD ->
                throw new TransportException("no byte has come for " + c.silence(now) / 1_000_000 + " ms, with "
                        + c.awaited() + " chunks awaited and the peer alive");
        }
    }

    /**
     * Gives chunks to channels that have room, one each in turn, until none has room or nothing is left: a short message too
     * goes over every rail, and a row of shorter ones does not all meet on the first.
     */
    private int deal() {
        int dealt = 0;
        for (int passed = 0; passed < channels.length; passed++) {
            InboundChannel c = channels[nextToDeal];
            nextToDeal = nextToDeal + 1 == channels.length ? 0 : nextToDeal + 1;
            if (c != null && c.isOpen() && c.hasRoom() && striping.next(c.index, pick)) {
                c.take(pick.transfer(), pick.offset(), now);
                dealt++;
                passed = -1;
            }
        }
        return dealt;
    }

    private void lost(InboundChannel c, TransportException why) {
        down(c, String.valueOf(why.getMessage()));
        broken.broken(false, c.index, c.generation, c.channel.description(), why);
    }

    /** Closes a channel that broke here or at the peer, and has its chunks granted elsewhere. */
    void down(InboundChannel c, String why) {
        c.lost(why);
        c.abandon(this, now);
    }

    void posted(InboundChannel c, InboundTransfer t, long offset) {
        if (pulled != null) {
            control.grant(t.id, offset, c.index, c.generation);
        }
    }

    void landed(InboundTransfer t) {
        if (++t.landed == t.chunks) {
            active.remove(t.id);
            finish(t);
        }
    }

    private void finish(InboundTransfer t) {
        if (settings.confirmed()) {
            if (MessageId.kind(t.id) == MessageId.WRITE) {
                writing--;
            } else if (MessageId.kind(t.id) == MessageId.TWO_SIDED) {
                unfinishedSends--;
            }
            control.landed(t.id);
        }
        t.completion.done(t.startedAt);
    }

    void takeBack(InboundTransfer t, long offset) {
        if (pulled == null) {
            throw new LinkException(
                    settings.where(),
                    "a chunk of " + MessageId.toString(t.id)
                            + " came damaged, and round-robin striping cannot have it sent again");
        }
        pulled.takeBack(t, offset);
    }

    /** A chunk went down with its channel. With round-robin striping so does the link, with the channel's fault as the reason. */
    void lost(InboundTransfer t, long offset) {
        if (pulled != null) {
            pulled.takeBack(t, offset);
        }
    }

    boolean isCopying() {
        for (InboundChannel c : channels) {
            if (c != null && c.isCopying()) {
                return true;
            }
        }
        return false;
    }

    boolean isIdle() {
        for (InboundChannel c : channels) {
            if (c != null && !c.isIdle()) {
                return false;
            }
        }
        return true;
    }

    void fail(SluiceException why) {
        for (InboundChannel c : channels) {
            if (c != null) {
                c.closeForGood();
            }
        }
        for (InboundChannel c : channels) {
            if (c != null) {
                c.awaitClosed();
            }
        }
        List<InboundTransfer> all = new ArrayList<>(receives);
        receives.clear();
        announced.clear();
        active.drain(all::add);
        requested.drain(all::add);
        for (InboundTransfer t : all) {
            t.completion.failed(why);
        }
    }

    void forget(MemoryBlock block) throws TransportException {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                c.forget(block);
            }
        }
    }

    void register(MemoryBlock block) throws TransportException {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                c.register(block);
            }
        }
    }

    void eachOpen(ObjIntConsumer<Channel> look) {
        for (InboundChannel c : channels) {
            if (c != null && c.isOpen()) {
                look.accept(c.channel, c.index);
            }
        }
    }

    int openChannels() {
        int n = 0;
        for (InboundChannel c : channels) {
            n += c != null && c.isOpen() ? 1 : 0;
        }
        return n;
    }

    /** When the last byte came, on whichever rail; where none was awaited since, when one began to be. */
    long lastSign() {
        long latest = idleAt;
        for (InboundChannel c : channels) {
            latest = c == null ? latest : Math.max(latest, c.lastSign());
        }
        return latest;
    }
}
