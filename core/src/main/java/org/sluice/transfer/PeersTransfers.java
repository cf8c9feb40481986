package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * What a peer has begun to send and to write, and may not have begun more of: sends and writes are numbered in turn, and there are bounds
 * for what is unfinished.
 */
final class PeersTransfers {
    private final Where where;
    private long sends;
    private long writes;
    private int writing;
    private int unfinishedSends;

    /** Bytes that came with sends which wait for their receives. */
    private long smallHeld;

    PeersTransfers(Where where) {
        this.where = where;
    }

    /** It announces its next send. @param bytes that came along; null for none @throws ProtocolException when it may not */
    void send(Announcement a, @Nullable MemorySegment bytes) {
        if (MessageId.kind(a.id()) != MessageId.TWO_SIDED || MessageId.count(a.id()) != sends) {
            throw new ProtocolException(
                    where,
                    "the peer announced " + MessageId.toString(a.id()) + " of " + a.length()
                            + " bytes, expected was transfer " + sends);
        }
        check(a);
        if (unfinishedSends >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    where,
                    "the peer announced more than " + EngineSettings.MAX_TRANSFERS
                            + " transfers that are not finished");
        }
        sends++;
        unfinishedSends++;
        if (bytes != null) {
            smallHeld += bytes.byteSize();
            if (smallHeld > EngineSettings.SMALL_BYTES_UNDER_WAY) {
                throw new ProtocolException(
                        where,
                        "the peer's small transfers that wait for their receives have " + smallHeld
                                + " bytes, allowed are " + EngineSettings.SMALL_BYTES_UNDER_WAY);
            }
        }
    }

    private void check(Announcement a) {
        if (a.length() < 0 || a.mostChunk() <= 0 || a.priority() < 0 || a.priority() > PulledStriping.MOST_PRIORITY) {
            throw new ProtocolException(
                    where,
                    "the peer announced " + MessageId.toString(a.id()) + " of " + a.length()
                            + " bytes, in chunks of at most " + a.mostChunk() + ", with priority " + a.priority());
        }
    }

    /** The peer asks to write: its writes are numbered in turn, and not more than it may have unfinished. */
    void write(Announcement a) {
        long id = a.id();
        check(a);
        if (MessageId.kind(id) != MessageId.WRITE || MessageId.count(id) != writes) {
            throw new ProtocolException(
                    where, "the peer asked for " + MessageId.toString(id) + ", expected was write " + writes);
        }
        if (writing >= EngineSettings.MAX_TRANSFERS) {
            throw new ProtocolException(
                    where, "the peer has more than " + EngineSettings.MAX_TRANSFERS + " writes unfinished");
        }
        writes++;
    }

    /** A write of its is allowed. */
    void serves() {
        writing++;
    }

    /** A send has met its receive. @param bytes that came along; null for none */
    void met(@Nullable MemorySegment bytes) {
        smallHeld -= bytes == null ? 0 : bytes.byteSize();
    }

    /** A send ended before it met its receive. */
    void sendIsOver() {
        unfinishedSends--;
    }

    /** One has ended. */
    void isOver(long id) {
        if (MessageId.kind(id) == MessageId.WRITE) {
            writing--;
        } else if (MessageId.kind(id) == MessageId.TWO_SIDED) {
            unfinishedSends--;
        }
    }

    /** Whether it has ever begun this. */
    boolean has(long id) {
        long count = MessageId.count(id);
        return switch ((int) MessageId.kind(id)) {
            case (int) MessageId.TWO_SIDED -> count < sends;
            case (int) MessageId.WRITE -> count < writes;
            default -> false;
        };
    }
}
