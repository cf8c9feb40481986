package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;

/**
 * A sender that holds back the second half of a chunk until the receiver has given its channel up, had the chunk sent on another,
 * completed the transfer and used the memory for something else; and then sends it.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LateWriteTest {
    private static final int CHUNK = 64 << 10;
    private static final int CHUNKS = 8;
    private static final int HELD = 0;
    private static final int WORKING = 1;

    /** More than the buffers of both kernels hold: if nobody had closed the connection, this would show. */
    private static final int LATE_BYTES = 32 << 20;

    private static byte[] payload(long offset) {
        byte[] payload = new byte[CHUNK];
        Arrays.fill(payload, (byte) (1 + offset / CHUNK));
        return payload;
    }

    @Test
    void bytesThatComeTooLateReachNoBufferThatIsUsedAgain() throws Exception {
        int port;
        try (ServerSocket probe = new ServerSocket(0)) {
            port = probe.getLocalPort();
        }
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2"))
                .stallTimeout(Duration.ofMillis(50))
                .portBase(port)
                .build();
        try (Node node = Node.open(config)) {
            node.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> node.accept(0));
            Region region = node.allocate(0, CHUNK * CHUNKS);
            region.fill(0, CHUNK * CHUNKS, 1);
            try (ByHand sender = new ByHand(port, CHUNK);
                    Link link = accepted.get()) {
                Transfer transfer = link.receive(region, 0, CHUNK * CHUNKS);
                long held = sendButOne(sender);
                transfer.await(Duration.ofSeconds(10));
                byte[] all = new byte[CHUNK * CHUNKS];
                region.read(0, MemorySegment.ofArray(all));
                for (int at = 0; at < all.length; at += CHUNK) {
                    assertThat(Arrays.copyOfRange(all, at, at + CHUNK)).isEqualTo(payload(at));
                }

                region.fill(0, CHUNK * CHUNKS, 2);
                sendLate(sender.channels.get(HELD).getOutputStream(), held);
                assertThat(region.mismatch(0, CHUNK * CHUNKS, 2)).isEqualTo(-1);
            }
        }
    }

    /** Sends what is granted until all has landed, but for half a chunk. @return the offset of that */
    private static long sendButOne(ByHand sender) throws IOException {
        sender.open(0, CHUNK * CHUNKS);
        long held = -1;
        boolean givenUp = false;
        while (true) {
            ByHand.Frame frame = sender.next();
            ByteBuffer in = frame.payload();
            switch (frame.type()) {
                case ByHand.GRANT -> {
                    for (; in.hasRemaining(); in.getInt()) {
                        long id = in.getLong();
                        long offset = in.getLong();
                        int channel = in.getShort();
                        assertThat(in.getShort()).as("generation").isZero();
                        byte[] chunk = ByHand.chunk(id, offset, payload(offset));
                        if (channel == WORKING) {
                            sender.channels.get(WORKING).getOutputStream().write(chunk);
                        } else if (held < 0) {
                            held = offset;
                            sender.channels.get(HELD).getOutputStream().write(chunk, 0, chunk.length / 2);
                        }
                        assertThat(channel == HELD && givenUp)
                                .as("granted on a channel that was given up")
                                .isFalse();
                    }
                }
                case ByHand.PING -> sender.pong();
                case ByHand.CHANNEL_DOWN -> givenUp = true;
                case ByHand.LANDED -> {
                    assertThat(held).isNotNegative();
                    assertThat(givenUp).isTrue();
                    return held;
                }
                default -> {}
            }
        }
    }

    /** The other half, and then as much as the connection takes. */
    private static void sendLate(OutputStream channel, long held) {
        byte[] chunk = ByHand.chunk(0, held, payload(held));
        try {
            channel.write(chunk, chunk.length / 2, chunk.length - chunk.length / 2);
            for (int sent = 0; sent < LATE_BYTES; sent += chunk.length) {
                channel.write(chunk);
            }
            throw new AssertionError("the receiver takes what comes on a channel that it has given up");
        } catch (IOException reset) {
            // what the receiver's kernel answers: nobody is there any more
        }
    }
}
