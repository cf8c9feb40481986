package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.TcpSocket;
import org.sluice.linux.VectorIo;
import org.sluice.spi.Channel;

/** The chunk that a connection is sending: its head, where its bytes are, and how far it is. Belongs to the connection's thread. */
final class OutgoingFrame {
    /** What is left of a chunk whose channel closes is copied, so that its memory is free: the connection ends rather than copy more. */
    private static final long MOST_KEPT = 16 << 20;

    private final MemorySegment head = Arena.ofAuto().allocate(FrameHead.BYTES, 8);
    private final Checksum checksum = new Checksum();
    private final PieceBuffer packed = new PieceBuffer();
    private final PieceBuffer sealed = new PieceBuffer();
    private @Nullable SendLane lane;
    private long bytes;
    private long sent;
    private long all;
    private long stopAt;

    /** Where the payload lies, or the list of its pieces where {@code pieces} is not 0. */
    private long body;

    private int pieces;
    private int piece;
    private long within;

    boolean isEmpty() {
        return sent == all;
    }

    boolean isOf(SendLane other) {
        return !isEmpty() && other.equals(lane);
    }

    boolean hasBegun() {
        return sent > 0;
    }

    /** The oldest request of a lane. @param damages whether its checksum is to be wrong */
    void begin(SendLane of, int channel, boolean whole, boolean damages) throws IOException {
        Lane.Requests r = of.requests();
        int slot = r.slot(of.done());
        long at = r.address[slot];
        int count = r.pieces[slot];
        long length = r.bytes[slot];
        Seal seal = of.seal();
        boolean isVoid = count == Lane.VOID;
        boolean checks = of.checks() && !isVoid;
        if (count > 0 && (checks || seal != null || whole)) {
            at = packed.gather(at, count, length);
            count = 0;
        }
        int sum = checks ? checksum.of(at, length) : 0;
        int flags = (checks ? FrameHead.CHECKED : 0)
                | (seal == null ? 0 : FrameHead.SEALED)
                | (isVoid ? FrameHead.VOID : 0);
        FrameHead.write(
                head, FrameHead.DATA, flags, channel, r.message[slot], r.offset[slot], length, damages ? sum ^ 1 : sum);
        bytes = isVoid ? 0 : length;
        if (seal != null) {
            long to = sealed.room(bytes + Seal.TAG_BYTES);
            seal.seal(head, isVoid ? to : at, bytes, to);
            bytes += Seal.TAG_BYTES;
            at = to;
        }
        lane = of;
        body = at;
        pieces = Math.max(0, count);
        piece = 0;
        within = 0;
        sent = 0;
        all = FrameHead.BYTES + bytes;
        stopAt = all;
    }

    /** Stops after half of the payload, which has to lie in one piece. */
    void stopHalfWay() {
        stopAt = FrameHead.BYTES + bytes / 2;
    }

    boolean isHalfWay() {
        return sent == stopAt && stopAt < all;
    }

    void goOn() {
        stopAt = all;
    }

    /** Sends what fits. @param waits whether for the rest to fit too @return whether the kernel took all that it was given */
    boolean send(VectorIo io, TcpSocket socket, boolean waits) throws IOException {
        io.clear();
        long asked = Math.max(0, FrameHead.BYTES - sent);
        io.add(head.address() + sent, asked);
        long done = Math.max(0, sent - FrameHead.BYTES);
        if (pieces > 0) {
            asked += io.addList(body, piece, pieces, within, 0);
        } else {
            asked += stopAt - FrameHead.BYTES - done;
            io.add(body + done, stopAt - FrameHead.BYTES - done);
        }
        long n = waits ? io.sendAll(socket) : io.send(socket);
        if (pieces > 0) {
            within += Math.max(0, n - Math.max(0, FrameHead.BYTES - sent));
            while (piece < pieces && within >= VectorIo.bytes(body, piece)) {
                within -= VectorIo.bytes(body, piece++);
            }
        }
        sent += n;
        return n == asked;
    }

    /** Bytes that have gone. */
    long sent() {
        return sent;
    }

    /** Bytes on the wire, its head included. */
    long length() {
        return all;
    }

    /** Whether all has gone. Tells its lane, once. */
    boolean isDone() {
        if (sent < all) {
            return false;
        }
        SendLane of = lane;
        lane = null;
        if (of != null) {
            of.done(Channel.DONE);
        }
        return true;
    }

    /** Nothing of it has gone, and nothing will. */
    void drop() {
        lane = null;
        sent = 0;
        all = 0;
        stopAt = 0;
    }

    /** From now on it touches the lane's memory no more: what is left to send is copied. @return false when that is too much */
    boolean keepRest() {
        lane = null;
        long done = Math.max(0, sent - FrameHead.BYTES);
        long rest = bytes - done;
        if (rest > MOST_KEPT) {
            return false;
        }
        if (pieces > 0) {
            body = packed.gatherRest(body, piece, pieces, within, rest) - done;
            pieces = 0;
        } else if (!FrameHead.isSealed(head)) {
            body = sealed.copy(body + done, rest) - done; // plain bytes: the other buffer is not in use
        }
        return true;
    }

    /** Gives its memory back. */
    void close() {
        drop();
        packed.close();
        sealed.close();
    }
}
