package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.spi.Channel;
import org.sluice.spi.ChannelKeys;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/** On an encrypted channel a void is as protected as bytes are: somebody on the wire cannot make a receiver believe that a chunk was cancelled. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ForgedVoidTest {
    private static final int LENGTH = 1000;
    private static final ChannelKeys KEYS = purpose -> {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("a secret".getBytes(StandardCharsets.UTF_8));
            return digest.digest(purpose);
        } catch (NoSuchAlgorithmException e) {
            throw new TransportException("no SHA-256", e);
        }
    };

    private final Arena arena = Arena.ofConfined();
    private Ends ends;
    private Socket socket;
    private byte[] token;
    private ReceiveChannel channel;

    /** Opens a channel by hand, with a request posted on it. */
    @BeforeEach
    void open() throws IOException {
        ends = new Ends(Map.of("encryption", "aes-gcm"), KEYS);
        Listener listener = ends.listen(1, 0);
        Handle handle = Handle.decode(listener.handle());
        token = handle.token();
        socket = new Socket("127.0.0.1", handle.herePort());
        socket.getOutputStream().write(Greeting.encode(token, Greeting.DATA));
        say(head(FrameHead.OPEN, 0, Handle.TOKEN_BYTES));
        socket.getOutputStream().write(token);
        assertThat(Reply.decode(socket.getInputStream().readNBytes(Reply.BYTES)))
                .isEqualTo(new Reply(Reply.OPENED, 0));
        @Nullable ReceiveChannel[] accepted = new ReceiveChannel[1];
        ends.until("accept", () -> {
            accepted[0] = listener.accept();
            return accepted[0] != null;
        });
        channel = accepted[0];
        assertThat(ends.receive(channel, 0, LENGTH)).isTrue();
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        ends.close();
        arena.close();
    }

    private MemorySegment head(int kind, int flags, long length) {
        MemorySegment head = arena.allocate(FrameHead.BYTES, 8);
        FrameHead.write(head, kind, flags, 0, kind == FrameHead.DATA ? 1 : 0, 0, length, 0);
        return head;
    }

    private void say(MemorySegment bytes) throws IOException {
        socket.getOutputStream().write(bytes.toArray(ValueLayout.JAVA_BYTE));
    }

    /** The tag that belongs to a head with nothing behind it. */
    private MemorySegment tag(MemorySegment head) throws IOException {
        MemorySegment tag = arena.allocate(Seal.TAG_BYTES);
        new Seal(KEYS, token, 0).seal(head, tag.address(), 0, tag.address());
        return tag;
    }

    private void assertIsNotTaken(String why) throws IOException {
        int[] ended = {Channel.PENDING};
        String broken = "";
        try {
            ends.until("an answer", () -> {
                ended[0] = channel.test();
                return ended[0] != Channel.PENDING;
            });
        } catch (TransportException e) {
            broken = e.getMessage();
        }
        assertThat(ended[0]).as("what became of the chunk").isEqualTo(Channel.PENDING);
        assertThat(broken).contains(why);
        assertThat(ends.isUntouched(0, LENGTH)).isTrue();
    }

    @Test
    void aVoidOfThePeersIsTaken() throws IOException {
        MemorySegment head = head(FrameHead.DATA, FrameHead.VOID | FrameHead.SEALED, LENGTH);
        say(head);
        say(tag(head));
        ends.until("the void", () -> channel.test() == Channel.VOID);
        assertThat(ends.isUntouched(0, LENGTH)).isTrue();
    }

    @Test
    void aVoidWithATagThatSomebodyMadeUpIsNot() throws IOException {
        say(head(FrameHead.DATA, FrameHead.VOID | FrameHead.SEALED, LENGTH));
        say(arena.allocate(Seal.TAG_BYTES));
        assertIsNotTaken("is not what the peer encrypted");
    }

    @Test
    void aVoidWithoutATagIsNot() throws IOException {
        say(head(FrameHead.DATA, FrameHead.VOID, LENGTH));
        assertIsNotTaken("was awaited");
    }

    /** The head of the peer's chunk is made that of a void, the tag stays as it was. */
    @Test
    void aChunkThatWasMadeAVoidIsNot() throws IOException {
        MemorySegment tag = tag(head(FrameHead.DATA, FrameHead.SEALED, LENGTH));
        say(head(FrameHead.DATA, FrameHead.VOID | FrameHead.SEALED, LENGTH));
        say(tag);
        assertIsNotTaken("is not what the peer encrypted");
    }
}
