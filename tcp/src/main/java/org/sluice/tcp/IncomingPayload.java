package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.VectorIo;
import org.sluice.spi.Channel;

/** The payload that a connection is receiving: where it goes, and how far it is. Belongs to the connection's thread. */
final class IncomingPayload {
    private enum Way {
        /** Into one piece of memory. */
        PLACE,
        /** Into a list of pieces. */
        LIST,
        /** Into a buffer, to be opened from there. */
        SEALED,
        /** Nobody wants it. */
        NOWHERE
    }

    private final Checksum checksum = new Checksum();
    private final PieceBuffer packed = new PieceBuffer();
    private final PieceBuffer sealed = new PieceBuffer();
    private @Nullable ReceiveLane lane;
    private Way way = Way.NOWHERE;
    private long left;
    private long at;
    private long bytes;
    private long place;
    private int pieces;
    private int piece;
    private long within;

    /** Bytes that have not come yet. */
    long left() {
        return left;
    }

    boolean isOf(ReceiveLane other) {
        return left > 0 && other.equals(lane);
    }

    /** Goes where the oldest request of a lane wants it. */
    void begin(ReceiveLane of) {
        Lane.Requests r = of.requests();
        int slot = r.slot(of.done());
        lane = of;
        place = r.address[slot];
        pieces = r.pieces[slot];
        bytes = r.bytes[slot];
        left = bytes;
        piece = 0;
        within = 0;
        if (of.seal() != null) {
            way = Way.SEALED;
            left += Seal.TAG_BYTES;
            at = sealed.room(left);
        } else {
            way = pieces > 0 ? Way.LIST : Way.PLACE;
            at = place;
        }
    }

    /** Nothing but its tag, if it is sealed: the oldest request of a lane ends without its bytes. */
    void beginVoid(ReceiveLane of) {
        lane = of;
        place = 0;
        pieces = 0;
        bytes = 0;
        way = Way.SEALED;
        left = of.seal() == null ? 0 : Seal.TAG_BYTES;
        at = left == 0 ? 0 : sealed.room(left);
    }

    /** Goes into memory that is no channel's. */
    void begin(long address, long length) {
        lane = null;
        way = Way.PLACE;
        at = address;
        left = length;
    }

    /** Goes nowhere. */
    void skip(long length) {
        lane = null;
        way = Way.NOWHERE;
        left = length;
    }

    /** From now on it touches the lane's memory no more; the rest goes nowhere. @return the rest */
    long abandon() {
        lane = null;
        way = Way.NOWHERE;
        return left;
    }

    /** Adds the places for what comes next. @return their bytes */
    long addTo(VectorIo io, MemorySegment scratch) {
        return switch (way) {
            case LIST -> io.addList(place, piece, pieces, within, 1);
            case NOWHERE -> {
                long some = Math.min(left, scratch.byteSize());
                io.add(scratch.address(), some);
                yield some;
            }
            default -> {
                io.add(at, left);
                yield left;
            }
        };
    }

    /** So many bytes of it have come. */
    void took(long n) {
        left -= n;
        if (way == Way.LIST) {
            within += n;
            while (piece < pieces && within >= VectorIo.bytes(place, piece)) {
                within -= VectorIo.bytes(place, piece++);
            }
        } else {
            at += n;
        }
    }

    /** All has come: brings it to its places, and tells its lane. @throws IOException when it is not what the peer sealed */
    void finish(MemorySegment head) throws IOException {
        ReceiveLane of = lane;
        if (of == null) {
            return;
        }
        lane = null;
        long lies = place;
        Seal seal = of.seal();
        if (FrameHead.isVoid(head)) {
            if (seal != null) {
                long tag = at - Seal.TAG_BYTES;
                seal.open(head, tag, tag, 0);
            }
            of.done(Channel.VOID);
            return;
        }
        if (seal != null) {
            lies = pieces > 0 ? packed.room(bytes) : place;
            seal.open(head, at - bytes - Seal.TAG_BYTES, lies, bytes);
            if (pieces > 0) {
                packed.scatter(place, pieces);
            }
        } else if (pieces > 0 && FrameHead.isChecked(head)) {
            lies = packed.gather(place, pieces, bytes);
        }
        boolean intact = !FrameHead.isChecked(head) || FrameHead.checksum(head) == checksum.of(lies, bytes);
        of.done(intact ? Channel.DONE : Channel.DAMAGED);
    }

    /** Gives its memory back. */
    void close() {
        long ignored = abandon();
        packed.close();
        sealed.close();
    }
}
