package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadFactory;
import org.sluice.linux.FrameIo;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Channel;
import org.sluice.spi.Doorbell;

/** The sending end of a connection. A request is done when the kernel has taken its last byte. */
final class SendLane extends Lane {
    private final boolean checks;
    private final Checksum checksum = new Checksum();

    /** @param checks whether to put a checksum over each chunk */
    SendLane(TcpSocket socket, ThreadFactory threads, String description, Doorbell doorbell, boolean checks) {
        super(socket, threads, description, doorbell);
        this.checks = checks;
    }

    @Override
    int serve(FrameIo io, MemorySegment head, long address, long bytes, long message, long offset) throws IOException {
        int sum = checks ? checksum.of(address, bytes) : 0;
        FrameHead.write(head, checks ? FrameHead.CHECKED : 0, message, offset, bytes, sum);
        io.send(head.address(), FrameHead.BYTES, address, bytes);
        return Channel.DONE;
    }

    @Override
    boolean deliversOnClose() {
        return true;
    }
}
