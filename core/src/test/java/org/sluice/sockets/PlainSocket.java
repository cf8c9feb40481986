package org.sluice.sockets;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.nio.ByteBuffer;

/** A {@link MemorySocket} as a {@link Socket}: connects, and reads up to a time limit. */
final class PlainSocket extends Socket {
    private final MemorySocket channel;

    private PlainSocket(MemorySocket channel) throws SocketException {
        super((SocketImpl) null);
        this.channel = channel;
    }

    static PlainSocket of(MemorySocket channel) {
        try {
            return new PlainSocket(channel);
        } catch (SocketException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void connect(SocketAddress to, int timeout) throws IOException {
        channel.connect(to);
    }

    @Override
    public void setSoTimeout(int millis) {
        channel.limit(millis);
    }

    @Override
    public InputStream getInputStream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] into, int at, int most) throws IOException {
                return channel.read(ByteBuffer.wrap(into, at, most));
            }
        };
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
