package org.sluice.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.ProtocolException;
import org.sluice.Where;

/** Two ends of a control connection that moves, over real sockets that are cut at any byte. */
@Timeout(60)
final class MovableStreamTest {
    private static final Where HERE = Where.ofGpu(0).peer("test");

    private final List<Sockets> all = new ArrayList<>();
    private Sockets wire;
    private Side a;
    private Side b;

    @BeforeEach
    void open() throws IOException {
        wire = pair();
        a = new Side(new MovableStream(new PlainStream(wire.client()), HERE));
        b = new Side(new MovableStream(new PlainStream(wire.server()), HERE));
    }

    private Sockets pair() throws IOException {
        Sockets s = Sockets.pair();
        s.client().configureBlocking(false);
        s.server().configureBlocking(false);
        all.add(s);
        return s;
    }

    @AfterEach
    void close() throws IOException {
        for (Sockets s : all) {
            s.close();
        }
    }

    /** One end, what it has said and heard. */
    private static final class Side {
        final MovableStream stream;
        final ByteArrayOutputStream heard = new ByteArrayOutputStream();
        final ByteArrayOutputStream said = new ByteArrayOutputStream();
        private ByteBuffer toSay = ByteBuffer.allocate(0);

        Side(MovableStream stream) {
            this.stream = stream;
        }

        void say(SplittableRandom random, int bytes) {
            byte[] more = new byte[bytes];
            random.nextBytes(more);
            said.writeBytes(more);
            ByteBuffer all = ByteBuffer.allocate(toSay.remaining() + bytes);
            toSay = all.put(toSay).put(more).flip();
        }

        void turn(int mostRead) throws IOException {
            int ignored = stream.write(toSay);
            ByteBuffer in = ByteBuffer.allocate(mostRead);
            int n = stream.read(in);
            assertThat(n).isNotNegative();
            heard.write(in.array(), 0, n);
        }

        boolean isDone() {
            return !toSay.hasRemaining() && !stream.hasUnsent();
        }
    }

    private void settle() throws IOException {
        while (!a.isDone() || !b.isDone() || a.heard.size() < b.said.size() || b.heard.size() < a.said.size()) {
            a.turn(1 << 16);
            b.turn(1 << 16);
        }
    }

    private void assertNothingLost() {
        assertThat(b.heard.toByteArray()).isEqualTo(a.said.toByteArray());
        assertThat(a.heard.toByteArray()).isEqualTo(b.said.toByteArray());
    }

    /** As a link does it: one side tells where it is and reads on meanwhile, the other moves at once. */
    private void move(SplittableRandom random) throws IOException {
        Sockets next = pair();
        long told = a.stream.taken();
        if (random.nextBoolean()) {
            a.turn(1 + random.nextInt(5000)); // what still comes on the old connection
        }
        long peerTaken = b.stream.taken();
        b.stream.moveTo(new PlainStream(next.server()), peerTaken, told);
        if (random.nextBoolean()) {
            b.turn(1 + random.nextInt(5000));
        }
        a.stream.moveTo(new PlainStream(next.client()), told, peerTaken);
        wire = next;
    }

    /** Both say something, and come round up to three times. */
    private void talk(SplittableRandom random, int most) throws IOException {
        a.say(random, random.nextInt(most));
        b.say(random, random.nextInt(3_000));
        for (int t = random.nextInt(4); t > 0; t--) {
            a.turn(1 + random.nextInt(20_000));
            b.turn(1 + random.nextInt(20_000));
        }
    }

    @Test
    @DisplayName("bytes go both ways, more than either side keeps")
    void both() throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 40; i++) {
            a.say(random, 200_000);
            b.say(random, 30);
            settle();
        }
        assertNothingLost();
    }

    @RepeatedTest(50)
    @DisplayName("nothing is lost and nothing comes twice, wherever the connection is cut")
    void moved(org.junit.jupiter.api.RepetitionInfo repetition) throws IOException {
        SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
        for (int round = 0; round < 30; round++) {
            talk(random, 100_000);
            if (random.nextInt(3) == 0) {
                move(random);
            }
        }
        settle();
        assertNothingLost();
    }

    @Test
    @DisplayName("a peer that reads and says nothing still lets this side forget what it has")
    void oneWay() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 64; i++) {
            a.say(random, 64 << 10);
        }
        settle(); // four times what is kept at most: it would stand still without word from b
        assertNothingLost();
    }

    @RepeatedTest(10)
    @DisplayName("what has grown is given back, and what the peer may not have yet stays")
    void trimmed(org.junit.jupiter.api.RepetitionInfo repetition) throws IOException {
        SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
        for (int round = 0; round < 20; round++) {
            talk(random, 200_000);
            a.stream.trim();
            b.stream.trim();
            if (random.nextInt(3) == 0) {
                move(random);
            }
        }
        settle();
        assertNothingLost();
        a.stream.trim();
        b.stream.trim();
        assertThat(a.stream.isLarge() || b.stream.isLarge()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 6, Long.MAX_VALUE, Long.MIN_VALUE})
    @DisplayName("a peer that resumes where it cannot be is refused")
    void liar(long position) throws IOException {
        a.say(new SplittableRandom(1), 5);
        settle();
        Sockets next = pair();
        assertThatThrownBy(() -> a.stream.moveTo(new PlainStream(next.client()), 0, position))
                .isInstanceOf(ProtocolException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, (128 << 10) + 1, Integer.MAX_VALUE, Integer.MIN_VALUE})
    @DisplayName("a record of a length that cannot be is refused, and one that confirms what was not said")
    void lyingRecord(int length) throws IOException {
        Sockets.send(wire.server(), record(length, 0));
        assertThatThrownBy(() -> readUntilItThrows()).isInstanceOf(ProtocolException.class);
    }

    @Test
    @DisplayName("a record that confirms what was never said is refused")
    void confirmsTooMuch() throws IOException {
        Sockets.send(wire.server(), record(0, 1));
        assertThatThrownBy(() -> readUntilItThrows()).isInstanceOf(ProtocolException.class);
    }

    private void readUntilItThrows() throws IOException {
        while (true) {
            assertThat(a.stream.read(ByteBuffer.allocate(100))).isZero();
        }
    }

    private static byte[] record(int length, long taken) {
        return ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(length)
                .putLong(taken)
                .array();
    }

    @Test
    @DisplayName("what was taken while the connection was dying goes over the next one, once")
    void writtenToADeadConnection() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        a.say(random, 1000);
        settle();
        wire.server().close();
        long told = a.stream.taken();
        for (int i = 0; i < 20; i++) {
            a.say(random, 3000);
            try {
                int ignored = a.stream.write(a.toSay);
            } catch (IOException e) {
                // the peer's kernel has reset it: nothing was taken by this call
            }
        }
        Sockets next = pair();
        long peerTaken = b.stream.taken();
        b.stream.moveTo(new PlainStream(next.server()), peerTaken, told);
        a.stream.moveTo(new PlainStream(next.client()), told, peerTaken);
        wire = next;
        settle();
        assertNothingLost();
    }

    @Test
    @DisplayName("the end of the connection is told once everything before it was handed on")
    void end() throws IOException {
        a.say(new SplittableRandom(1), 10);
        a.turn(10);
        wire.client().close();
        ByteBuffer in = ByteBuffer.allocate(100);
        int n = 0;
        while (n < 10) {
            int more = b.stream.read(in);
            assertThat(more).isNotNegative();
            n += more;
        }
        int last = 0;
        while (last == 0) {
            last = b.stream.read(in);
        }
        assertThat(last).isEqualTo(-1);
    }
}
