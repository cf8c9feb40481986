package org.sluice.tcp;

import java.util.Set;
import org.sluice.linux.LinuxException;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/** The receiving end of a channel. */
final class TcpReceiveChannel extends TcpChannel<ReceiveLane> implements ReceiveChannel {
    TcpReceiveChannel(ReceiveLane[] lanes, String description, Set<AutoCloseable> open) {
        super(lanes, description, open);
    }

    @Override
    public boolean receive(Registration memory, long address, long bytes, long message, long offset)
            throws TransportException {
        return post(address, 0, bytes, message, offset);
    }

    @Override
    public boolean receivePieces(Registration memory, long pieces, int count, long bytes, long message, long offset)
            throws TransportException {
        return post(pieces, count, bytes, message, offset);
    }

    @Override
    public long progress() throws TransportException {
        long bytes = 0;
        try {
            for (ReceiveLane lane : lanes()) {
                bytes += lane.bytesReceived();
            }
        } catch (LinuxException e) {
            throw new TransportException(description() + ": " + e.getMessage(), e);
        }
        return bytes;
    }

    @Override
    public ScatterList scattered() {
        throw new UnsupportedOperationException("the kernel delivers a chunk in one piece");
    }

    @Override
    public void consumed() {
        // the bytes are where they were wanted: there is nothing to give back
    }
}
