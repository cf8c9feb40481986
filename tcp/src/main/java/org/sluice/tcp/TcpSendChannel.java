package org.sluice.tcp;

import java.util.Set;
import org.sluice.linux.LinuxException;
import org.sluice.spi.Registration;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/** The sending end of a channel. */
final class TcpSendChannel extends TcpChannel<SendLane> implements SendChannel {
    TcpSendChannel(SendLane[] lanes, String description, Set<AutoCloseable> open) {
        super(lanes, description, open);
    }

    @Override
    public boolean send(Registration memory, long address, long bytes, long message, long offset)
            throws TransportException {
        return post(address, 0, bytes, message, offset);
    }

    @Override
    public boolean sendPieces(Registration memory, long pieces, int count, long bytes, long message, long offset)
            throws TransportException {
        return post(pieces, count, bytes, message, offset);
    }

    @Override
    public boolean sendsVoids() {
        return true;
    }

    @Override
    public boolean sendVoid(long bytes, long message, long offset) throws TransportException {
        return post(0, Lane.VOID, bytes, message, offset);
    }

    @Override
    public boolean isProtected() {
        return lanes()[0].isProtected();
    }

    @Override
    public long unanswered() throws TransportException {
        long longest = 0;
        try {
            for (SendLane lane : lanes()) {
                longest = Math.max(longest, lane.unanswered());
            }
        } catch (LinuxException e) {
            throw new TransportException(description() + ": " + e.getMessage(), e);
        }
        return longest;
    }
}
