package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/** A sender that lies in the head of a frame loses the channel or the connection that it lied on, and nothing else. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LyingHeadTest {
    private static final int LENGTH = 1000;

    private Ends ends;
    private Socket socket;
    private ReceiveChannel first;
    private ReceiveChannel second;

    /** A channel of an honest peer. */
    private Ends.Pair honest;

    /** Opens two channels on one connection by hand. */
    @BeforeEach
    void open() throws IOException {
        ends = new Ends();
        honest = ends.pair(0, 0);
        Listener one = ends.listen(1, 0);
        Listener two = ends.listen(2, 0);
        Handle handle = Handle.decode(one.handle());
        socket = new Socket("127.0.0.1", handle.herePort());
        socket.getOutputStream().write(Greeting.encode(handle.token(), Greeting.DATA));
        say(FrameHead.OPEN, 0, 0, 0, Handle.TOKEN_BYTES);
        socket.getOutputStream().write(handle.token());
        assertThat(reply()).isEqualTo(new Reply(Reply.OPENED, 0));
        say(FrameHead.OPEN, 1, 0, 0, Handle.TOKEN_BYTES);
        socket.getOutputStream().write(Handle.decode(two.handle()).token());
        assertThat(reply()).isEqualTo(new Reply(Reply.OPENED, 1));
        first = accepted(one);
        second = accepted(two);
        assertThat(ends.receive(first, 0, LENGTH)).isTrue();
        assertThat(ends.receive(second, LENGTH, LENGTH)).isTrue();
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        ends.close();
    }

    private ReceiveChannel accepted(Listener listener) throws TransportException {
        @Nullable ReceiveChannel[] channel = new ReceiveChannel[1];
        ends.until("accept", () -> {
            channel[0] = listener.accept();
            return channel[0] != null;
        });
        return channel[0];
    }

    private void say(int kind, int channel, long message, long offset, long length) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment head = arena.allocate(FrameHead.BYTES, 8);
            FrameHead.write(head, kind, 0, channel, message, offset, length, 0);
            socket.getOutputStream().write(head.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private void chunk(int channel, long offset, int length) throws IOException {
        say(FrameHead.DATA, channel, 1, offset, length);
        socket.getOutputStream()
                .write(Ends.bytes(ends.source).asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
    }

    private Reply reply() throws IOException {
        byte[] bytes = socket.getInputStream().readNBytes(Reply.BYTES);
        if (bytes.length < Reply.BYTES) {
            throw new EOFException();
        }
        return Reply.decode(bytes);
    }

    private void assertConnectionIsClosed() throws IOException {
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException reset) {
            // what was still on its way makes a reset of it
        }
        assertThat(ends.awaitBroken(first)).isNotBlank();
        assertThat(ends.awaitBroken(second)).isNotBlank();
        assertOthersLive();
    }

    private void assertOthersLive() throws IOException {
        ends.move(honest, 100_000, 100_000);
        assertThat(ends.wrong(100_000, 200_000)).isEqualTo(-1);
        assertThat(ends.isUntouched(0, LENGTH)).isTrue();
    }

    private void assertOnlyTheFirstChannelIsLost() throws IOException {
        assertThat(reply()).isEqualTo(new Reply(Reply.CLOSED, 0));
        assertThat(ends.awaitBroken(first)).contains("was awaited");
        chunk(1, LENGTH, LENGTH);
        ends.await(second);
        assertThat(ends.wrong(LENGTH, 2 * LENGTH)).isEqualTo(-1);
        assertOthersLive();
    }

    @Test
    void aChannelThatIsNotOpen() throws IOException {
        chunk(2, 0, LENGTH);
        assertConnectionIsClosed();
    }

    @Test
    void anEarlierChannelOfTheSamePlace() throws IOException {
        chunk(1 << 16, 0, LENGTH);
        assertConnectionIsClosed();
    }

    @Test
    void moreThanIsAwaited() throws IOException {
        chunk(0, 0, LENGTH + 1);
        assertOnlyTheFirstChannelIsLost();
    }

    @Test
    void anotherPlaceThanIsAwaited() throws IOException {
        chunk(0, 8, LENGTH);
        assertOnlyTheFirstChannelIsLost();
    }

    @Test
    void moreThanAnyChunkHas() throws IOException {
        say(FrameHead.DATA, 0, 1, 0, Long.MAX_VALUE);
        assertConnectionIsClosed();
    }

    @Test
    void aChannelThatIsOpenAlready() throws IOException {
        say(FrameHead.OPEN, 0, 0, 0, Handle.TOKEN_BYTES);
        socket.getOutputStream().write(new byte[Handle.TOKEN_BYTES]);
        assertConnectionIsClosed();
    }

    @Test
    void aTokenThatNobodyGave() throws IOException {
        say(FrameHead.OPEN, 2, 0, 0, Handle.TOKEN_BYTES);
        socket.getOutputStream().write(new byte[Handle.TOKEN_BYTES]);
        assertThat(reply()).isEqualTo(new Reply(Reply.CLOSED, 2));
        chunk(1, LENGTH, LENGTH);
        ends.await(second);
        assertOthersLive();
    }

    /** What was granted may come late; more than that nobody has to read. */
    @Test
    void aChannelThatIsClosed() throws IOException {
        first.close();
        assertThat(reply()).isEqualTo(new Reply(Reply.CLOSED, 0));
        chunk(0, 0, LENGTH);
        chunk(1, LENGTH, LENGTH);
        ends.await(second);
        chunk(0, 0, LENGTH);
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException reset) {
            // what was still on its way makes a reset of it
        }
        assertOthersLive();
    }
}
