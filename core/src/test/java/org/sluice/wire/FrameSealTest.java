package org.sluice.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.ProtocolException;
import org.sluice.Where;

/** Notifications and small transfers on a link with a secret: what is on the wire, and what is let through. */
final class FrameSealTest {
    private static final byte[] SECRET = "a secret of both".getBytes(StandardCharsets.US_ASCII);

    private Sockets sockets;
    private ControlConnection from;
    private ControlConnection to;
    private final Heard heard = new Heard();

    @BeforeEach
    void connect() throws IOException {
        LinkKey.Half client = new LinkKey.Half();
        LinkKey.Half server = new LinkKey.Half();
        LinkKey one = client.with(server.publicKey(), SECRET, new byte[] {1}, new byte[] {2});
        LinkKey other = server.with(client.publicKey(), SECRET, new byte[] {1}, new byte[] {2});
        sockets = Sockets.pair();
        from = new ControlConnection(
                new PlainStream(sockets.client()), Where.NOWHERE, new FrameSeal(one, true, Where.NOWHERE), 0);
        to = new ControlConnection(
                new PlainStream(sockets.server()), Where.NOWHERE, new FrameSeal(other, false, Where.NOWHERE), 0);
    }

    @AfterEach
    void close() throws IOException {
        sockets.close();
    }

    /** What was said, as it is on the wire. */
    private byte[] wire() throws IOException {
        while (from.flush(1)) {
            // all of it fits the socket's buffer
        }
        ByteBuffer all = ByteBuffer.allocate(1 << 18);
        sockets.server().configureBlocking(true);
        sockets.server().read(all);
        return Arrays.copyOf(all.array(), all.position());
    }

    private void hear(byte[] bytes) {
        to.parse(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), heard);
    }

    @Test
    @DisplayName("what a program says is not on the wire, and arrives in order")
    void sealed() throws IOException {
        byte[] word = "nobody else reads this".getBytes(StandardCharsets.US_ASCII);
        from.notification(word);
        from.bytes(word.length, to -> to.copyFrom(MemorySegment.ofArray(word)));
        from.notification(new byte[0]);
        from.landed(7);
        byte[] wire = wire();
        assertThat(new String(wire, StandardCharsets.ISO_8859_1)).doesNotContain("nobody");
        hear(wire);
        assertThat(heard.said)
                .containsExactly("notification " + word.length, "bytes " + word.length, "notification 0", "landed 7");
    }

    @Test
    @DisplayName("a changed, repeated, left out, cut or unsealed one, and one of another type, ends the link")
    void forged() throws IOException {
        byte[] changed = said();
        changed[FrameType.HEADER_BYTES] ^= 1;
        refused(changed);
        byte[] retyped = said();
        retyped[5] = (byte) FrameType.BYTES.code;
        refused(retyped);
        byte[] twice = said();
        hear(twice);
        refused(twice);
        byte[] leftOut = said();
        from.notification(new byte[] {4});
        assertThat(wire()).hasSameSizeAs(Arrays.copyOf(leftOut, leftOut.length - 2));
        from.notification(new byte[] {5});
        refused(wire());
        said();
        refused(Sockets.frame(FrameType.NOTIFICATION, new byte[3]));
        said();
        refused(Sockets.frame(FrameType.NOTIFICATION, new byte[40]));
    }

    /** The first that is said on a new connection. */
    private byte[] said() throws IOException {
        sockets.close();
        connect();
        from.notification(new byte[] {1, 2, 3});
        return wire();
    }

    private void refused(byte[] bytes) {
        assertThatThrownBy(() -> hear(bytes))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("not what the peer encrypted");
    }
}
