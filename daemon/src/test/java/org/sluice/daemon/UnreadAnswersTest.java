package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that ask, and read no answer. */
@SuppressWarnings("ByteBufferBackingArray") // made by ByteBuffer.allocate
final class UnreadAnswersTest {
    /** Their answers need several times what a socket holds; the questions fit into one. */
    private static final int QUESTIONS = 4000;

    @TempDir
    private Path directory;

    @Test
    @DisplayName("a client that asks many times and reads only then gets every answer")
    void asksThenReads() throws Exception {
        try (DaemonPair pair = DaemonPair.in(directory);
                RawClient client = new RawClient(pair.a().socket())) {
            RawClient.Shared shared = client.greet(16);
            for (int i = 0; i < 500; i++) { // from now on a daemon answers faster than it is to seem asleep
                client.send(Protocol.STATS, i, RawClient.bytes(0), List.of());
                assertThat(client.answer().type()).isEqualTo(Protocol.DONE);
            }
            ByteBuffer questions = RawClient.bytes(QUESTIONS * Protocol.HEAD_BYTES);
            for (int i = 0; i < QUESTIONS; i++) {
                questions
                        .putInt(0)
                        .putShort((short) Protocol.STATS)
                        .putShort((short) 0)
                        .putLong(i);
            }
            shared.bytes().set(ValueLayout.JAVA_INT, Protocol.DAEMON_SLEEPS, 0);
            assertThat(client.send(questions.array(), List.of())).isTrue();
            untilNothingIsDone(shared, pair.a());
            for (int i = 0; i < QUESTIONS; i++) {
                assertThat(client.answer().type()).as("answer " + i).isEqualTo(Protocol.DONE);
            }
            assertThat(pair.a().clients()).hasSize(1);
            shared.mapping().close();
        }
    }

    /** The daemon has done what it can without the client, and sleeps; or it has ended the client. */
    private static void untilNothingIsDone(RawClient.Shared shared, Daemon daemon) throws InterruptedException {
        AtomicInteger asleep = new AtomicInteger();
        Gone.until(
                () -> {
                    boolean sleeps = shared.bytes().get(ValueLayout.JAVA_INT, Protocol.DAEMON_SLEEPS) == 1;
                    // it may sleep for a moment while its other threads answer
                    return (sleeps ? asleep.incrementAndGet() : asleep.getAndSet(0)) > 50
                            || daemon.clients().isEmpty();
                },
                "the daemon to have done what it can");
    }

    private static ByteBuffer named(int first, int second, String name) {
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        return RawClient.bytes(8 + text.length)
                .putInt(first)
                .putInt(second)
                .put(text)
                .flip();
    }

    @Test
    @DisplayName("a client that closes its socket while all that it may ask is unanswered is forgotten at once")
    void asksThenGoes() throws Exception {
        try (DaemonPair pair = DaemonPair.in(directory)) {
            try (RawClient client = new RawClient(pair.a().socket())) {
                client.greet(16).mapping().close();
                ByteBuffer link = RawClient.bytes(16 + pair.addressOfB().length());
                link.putInt(0).putInt(0).putInt(20_000).putInt(0);
                link.put(pair.addressOfB().getBytes(StandardCharsets.US_ASCII)).flip();
                client.send(Protocol.LINK, 2, link, List.of());
                int linked = client.answer().payload().getInt(0);
                for (int i = 0; i < Protocol.MOST_UNANSWERED; i++) {
                    client.send(Protocol.IMPORT, 3 + i, named(linked, 600_000, "nobody shares this"), List.of());
                }
            }
            Gone.until(() -> pair.a().clients().isEmpty(), "the end of the client");
        }
    }
}
