package org.sluice.daemon;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.sluice.ConfigException;
import org.sluice.LinkException;

/** Asks a running daemon for its state. */
public final class StatusQuery {
    private static final int ASKS_ONLY = 2;

    private StatusQuery() {}

    /**
     * The daemon's state and the clients of the same user (root: all), as one JSON document. Waits.
     *
     * @throws ConfigException when nobody is at the socket
     * @throws LinkException when it does not answer in time
     */
    public static String ask(Path socket, Duration atMost) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            CompletableFuture<String> answer = CompletableFuture.supplyAsync(
                    () -> ask(channel), r -> Thread.ofVirtual().start(r));
            return answer.orTimeout(atMost.toMillis(), TimeUnit.MILLISECONDS).join();
        } catch (IOException e) {
            throw new ConfigException("no daemon is at " + socket + " (" + e.getMessage() + "); give its --socket", e);
        } catch (CompletionException e) {
            throw new LinkException("the daemon at " + socket + " does not answer: " + e.getCause(), e);
        }
    }

    private static String ask(SocketChannel channel) {
        try {
            ByteBuffer hello = buffer(Protocol.HEAD_BYTES + 48);
            hello.putInt(48)
                    .putShort((short) Protocol.HELLO)
                    .putShort((short) 0)
                    .putLong(1);
            hello.putLong(Protocol.MAGIC).putShort((short) Protocol.VERSION).putShort((short) Protocol.VERSION);
            hello.putInt(ASKS_ONLY).putLong(0).putLong(0).putInt((int)
                    ProcessHandle.current().pid());
            hello.putInt(16).putInt(0).putInt(0).flip();
            while (hello.hasRemaining()) {
                channel.write(hello);
            }
            ByteBuffer head = read(channel, Protocol.HEAD_BYTES);
            int bytes = head.getInt();
            if (bytes < 0 || bytes > Protocol.MOST_PAYLOAD) {
                throw new IOException("its answer has no length that can be");
            }
            String text = StandardCharsets.UTF_8.decode(read(channel, bytes)).toString();
            if (head.getShort() != Protocol.DONE) {
                throw new IOException(text.length() > 8 ? text.substring(8) : "it refused");
            }
            return text;
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private static ByteBuffer read(SocketChannel channel, int bytes) throws IOException {
        ByteBuffer b = buffer(bytes);
        while (b.hasRemaining()) {
            if (channel.read(b) < 0) {
                throw new IOException("it has closed the connection");
            }
        }
        return b.flip();
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
