package org.sluice.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.FrameIo;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Channel;
import org.sluice.spi.Doorbell;

/**
 * The receiving end of a connection. Head and payload come with one call: the payload goes where the oldest posted request wants
 * it and never beyond, whatever the head says; a head that says something else breaks the channel.
 */
final class ReceiveLane extends Lane {
    private final Checksum checksum = new Checksum();
    private final PieceBuffer packed = new PieceBuffer();

    private final @Nullable Seal seal;

    /** @param seal where the connection is encrypted */
    ReceiveLane(TcpSocket socket, ThreadFactory threads, String description, Doorbell doorbell, @Nullable Seal seal) {
        super(socket, threads, description, doorbell);
        this.seal = seal;
    }

    @Override
    int serve(FrameIo io, MemorySegment head, long at, int pieces, long bytes, long message, long offset)
            throws IOException {
        if (pieces > 0 && seal == null) {
            return servePieces(io, head, at, pieces, bytes, message, offset);
        }
        long address = pieces > 0 ? packed.room(bytes) : at;
        long body = seal == null ? address : seal.buffer(bytes);
        long length = seal == null ? bytes : bytes + Seal.TAG_BYTES;
        long got = io.receive(head.address(), FrameHead.BYTES, body, length, 0, true);
        if (got == FrameIo.END_OF_STREAM) {
            throw new EOFException("the peer closed the connection");
        }
        mustAnnounce(head, bytes, message, offset);
        if (seal != null) {
            seal.open(head, address, bytes);
        }
        if (pieces > 0) {
            packed.scatter(at, pieces);
        }
        boolean intact = !FrameHead.isChecked(head) || FrameHead.checksum(head) == checksum.of(address, bytes);
        return intact ? Channel.DONE : Channel.DAMAGED;
    }

    /** Straight to their places; a checksum is taken of what lies there. */
    private int servePieces(FrameIo io, MemorySegment head, long at, int pieces, long bytes, long message, long offset)
            throws IOException {
        if (!io.receivePieces(head.address(), FrameHead.BYTES, at, pieces)) {
            throw new EOFException("the peer closed the connection");
        }
        mustAnnounce(head, bytes, message, offset);
        if (!FrameHead.isChecked(head)) {
            return Channel.DONE;
        }
        return FrameHead.checksum(head) == checksum.of(packed.gather(at, pieces, bytes), bytes)
                ? Channel.DONE
                : Channel.DAMAGED;
    }

    private void mustAnnounce(MemorySegment head, long bytes, long message, long offset) throws IOException {
        if (!FrameHead.announces(head, seal != null, message, offset, bytes)) {
            throw new IOException("the peer sent " + FrameHead.text(head) + " where offset " + offset + " of message "
                    + Long.toHexString(message) + ", " + bytes + " bytes, was awaited");
        }
    }

    @Override
    void ended() {
        packed.close();
        if (seal != null) {
            seal.close();
        }
    }

    @Override
    boolean deliversOnClose() {
        return false;
    }
}
