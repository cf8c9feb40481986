package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Links that are given back and asked for again. */
final class LinkAgainTest {
    private static final int ROUNDS = 300;

    @TempDir
    private Path directory;

    private static RawClient.Answer link(RawClient client, int number, String address) throws Exception {
        ByteBuffer link = RawClient.bytes(16 + address.length());
        link.putInt(0).putInt(0).putInt(20_000).putInt(0);
        link.put(address.getBytes(StandardCharsets.US_ASCII)).flip();
        assertThat(client.send(Protocol.LINK, number, link, List.of())).isTrue();
        return client.answer();
    }

    @Test
    @DisplayName("the last link to a daemon may be given back and the next asked for at once")
    void again() throws Exception {
        Random random = new Random(7);
        try (DaemonPair pair = DaemonPair.in(directory);
                RawClient client = new RawClient(pair.a().socket())) {
            RawClient.Shared shared = client.greet(16);
            for (int round = 0; round < ROUNDS; round++) {
                RawClient.Answer linked = link(client, 2 * round + 2, pair.addressOfB());
                assertThat(linked.type()).as("round " + round + ": " + linked).isEqualTo(Protocol.DONE);
                TimeUnit.MICROSECONDS.sleep(random.nextInt(3_000)); // what ends the one before may end this one
                ByteBuffer unlink = RawClient.bytes(8);
                unlink.putInt(linked.payload().getInt(0)).putInt(0).flip();
                client.send(Protocol.UNLINK, 2 * round + 3, unlink, List.of());
                assertThat(client.answer().type()).isEqualTo(Protocol.DONE);
                TimeUnit.MICROSECONDS.sleep(random.nextInt(3_000)); // at any moment of the end of the link and its peer
                assertThat(shared.bytes().get(ValueLayout.JAVA_LONG, Protocol.COMPLETION_TAIL))
                        .as("ends of links that are told of, round " + round)
                        .isZero();
            }
            shared.mapping().close();
        }
    }
}
