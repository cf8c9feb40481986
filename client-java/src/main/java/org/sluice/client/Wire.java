package org.sluice.client;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Messages over the daemon's socket. Sending is any thread's; receiving one thread's. */
final class Wire implements AutoCloseable {
    static final long MAGIC = 0x0031_4543_4955_4c53L;
    static final int HELLO = 1;
    static final int WELCOME = 2;
    static final int ERROR = 3;
    static final int REGISTER = 10;
    static final int DEREGISTER = 11;
    static final int LINK = 12;
    static final int UNLINK = 13;
    static final int SHARE = 14;
    static final int IMPORT = 15;
    static final int STATS = 16;
    static final int BELL = 20;
    static final int GOODBYE = 21;

    private static final int HEAD_BYTES = 16;
    private static final int MOST_PAYLOAD = 65536;

    /** One message. */
    record Message(int type, long request, ByteBuffer payload) {}

    private final SocketChannel channel;

    Wire(Path path) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A payload of two numbers and a text. */
    static ByteBuffer named(int first, int second, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return buffer(8 + bytes.length).putInt(first).putInt(second).put(bytes).flip();
    }

    /** The text that a payload has from a byte on to its end. */
    static String text(ByteBuffer payload, int from) {
        byte[] bytes = new byte[payload.limit() - from];
        payload.get(from, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    synchronized void send(int type, long request, ByteBuffer payload) throws IOException {
        ByteBuffer all = buffer(HEAD_BYTES + payload.remaining());
        all.putInt(payload.remaining())
                .putShort((short) type)
                .putShort((short) 0)
                .putLong(request);
        all.put(payload).flip();
        while (all.hasRemaining()) {
            channel.write(all);
        }
    }

    /** The next message. Waits. @throws IOException when the daemon is gone */
    Message receive() throws IOException {
        ByteBuffer head = read(HEAD_BYTES);
        int bytes = head.getInt();
        int type = Short.toUnsignedInt(head.getShort());
        head.getShort();
        if (bytes < 0 || bytes > MOST_PAYLOAD) {
            throw new IOException("a message of no length that can be");
        }
        return new Message(type, head.getLong(), read(bytes));
    }

    private ByteBuffer read(int bytes) throws IOException {
        ByteBuffer b = buffer(bytes);
        while (b.hasRemaining()) {
            if (channel.read(b) < 0) {
                throw new IOException("the daemon has closed the connection");
            }
        }
        return b.flip();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // it is closed all the same
        }
    }
}
