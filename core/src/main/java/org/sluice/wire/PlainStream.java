package org.sluice.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A control connection in the clear. Reads no byte more than asked for. */
public record PlainStream(SocketChannel socket) implements ControlStream {
    private static final byte[] NOTHING = {};

    @Override
    public int await(byte[] into, int at, int most, Deadline deadline) throws IOException {
        socket.socket().setSoTimeout(deadline.remainingMillis());
        return socket.socket().getInputStream().read(into, at, most);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return socket.read(into);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return socket.write(from);
    }

    @Override
    public boolean hasUnsent() {
        return false;
    }

    @Override
    public byte[] binding() {
        return NOTHING;
    }

    @Override
    public void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
