package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.FrameIo;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Channel;
import org.sluice.spi.Doorbell;

/** The sending end of a connection. A request is done when the kernel has taken its last byte. */
final class SendLane extends Lane {
    private final boolean checks;
    private final Checksum checksum = new Checksum();
    private final PieceBuffer packed = new PieceBuffer();

    private final @Nullable Seal seal;
    private final Drill.@Nullable Lot lot;

    /**
     * @param checks whether to put a checksum over each chunk
     * @param drill faults to make
     * @param seal where the connection is encrypted
     */
    SendLane(
            TcpSocket socket,
            ThreadFactory threads,
            String description,
            Doorbell doorbell,
            boolean checks,
            Drill drill,
            @Nullable Seal seal) {
        super(socket, threads, description, doorbell);
        this.checks = checks;
        this.seal = seal;
        this.lot = drill.chunks().isEmpty() ? null : drill.new Lot();
    }

    boolean isProtected() {
        return checks || seal != null;
    }

    @Override
    int serve(FrameIo io, MemorySegment head, long at, int pieces, long bytes, long message, long offset)
            throws IOException {
        if (pieces > 0 && !checks && seal == null && lot == null) {
            FrameHead.write(head, 0, message, offset, bytes, 0);
            io.sendPieces(head.address(), FrameHead.BYTES, at, pieces);
            return Channel.DONE;
        }
        long address = pieces > 0 ? packed.gather(at, pieces, bytes) : at;
        int sum = checks ? checksum.of(address, bytes) : 0;
        if (lot != null && lot.damages()) {
            sum ^= 1;
        }
        int flags = (checks ? FrameHead.CHECKED : 0) | (seal == null ? 0 : FrameHead.SEALED);
        FrameHead.write(head, flags, message, offset, bytes, sum);
        long body = address;
        long length = bytes;
        if (seal != null) {
            seal.seal(head, address, bytes);
            body = seal.buffer(bytes);
            length = bytes + Seal.TAG_BYTES;
        }
        if (lot == null) {
            io.send(head.address(), FrameHead.BYTES, body, length);
        } else {
            lot.send(io, socket, head, body, length);
        }
        return Channel.DONE;
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
        return true;
    }
}
