package org.sluice.wire;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/** Two ends of one TCP connection of this process. */
public record Sockets(SocketChannel client, SocketChannel server) implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    public static Sockets pair() throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            SocketChannel client = SocketChannel.open(listener.getLocalAddress());
            return new Sockets(client, listener.accept());
        }
    }

    FrameSocket clientFrames() throws IOException {
        return new FrameSocket(client, Deadline.in(PATIENCE));
    }

    FrameSocket serverFrames() throws IOException {
        return new FrameSocket(server, Deadline.in(PATIENCE));
    }

    /** A frame as a careless peer would build it: nothing is checked. */
    public static byte[] frame(int magic, int version, int type, int reserved, int length, byte[] payload) {
        return ByteBuffer.allocate(FrameType.HEADER_BYTES + payload.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(magic)
                .put((byte) version)
                .put((byte) type)
                .putShort((short) reserved)
                .putInt(length)
                .put(payload)
                .array();
    }

    public static byte[] frame(FrameType type, byte[] payload) {
        return frame(FrameType.MAGIC, FrameType.VERSION, type.code, 0, payload.length, payload);
    }

    public static void send(SocketChannel to, byte[] bytes) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(bytes);
        while (out.hasRemaining()) {
            to.write(out);
        }
    }

    @Override
    public void close() throws IOException {
        client.close();
        server.close();
    }
}
