package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.sluice.ProtocolException;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.wire.*;

/**
 * Every parser of a peer's bytes in this module against seeded mutations of right ones: whatever comes, the parser ends, says no
 * with the documented exception, and allocates little. {@code -Dfuzz.seconds=600} of CPU time for each target makes it a long run; the seed
 * is printed with a failure and set with {@code -Dfuzz.seed}.
 */
class ControlFuzzTest {
    private static final long SECONDS = Long.getLong("fuzz.seconds", 1);
    private static final long CASES = Long.getLong("fuzz.cases", 10_000_000);
    private static final long SEED = Long.getLong("fuzz.seed", 20_250_911);

    /** What one case may allocate: a frame is at most 64 KiB, and parsed it is lists of small objects. */
    private static final long MOST_ALLOCATED = 2 << 20;

    private interface Target {
        void parse(byte[] input) throws Exception;
    }

    private static final List<RemoteNic> NICS = List.of(
            new RemoteNic("eth1", List.of("10.1.0.1/24", "fd00::1/64"), 10_000_000_000L, 0),
            new RemoteNic("lo", List.of(), 0, 1));
    private static final List<Rail> RAILS = List.of(new Rail(0, 1, 1, 0), new Rail(1, 0, 0, 1));

    private static void fuzz(String name, Target target, List<byte[]> corpus) {
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long me = Thread.currentThread().threadId();
        long end = threads.getThreadCpuTime(me) + SECONDS * 1_000_000_000L;
        long accepted = 0;
        long n = 0;
        for (; n < CASES && (n % 256 != 0 || threads.getThreadCpuTime(me) < end); n++) {
            SplittableRandom random = new SplittableRandom(SEED + n);
            byte[] input = mutate(corpus, random);
            long before = threads.getThreadAllocatedBytes(me);
            try {
                target.parse(input);
                accepted++;
            } catch (ProtocolException | TransportException expected) {
                // the documented no
            } catch (Throwable e) {
                throw new AssertionError(name + ", case " + n + " of seed " + SEED + ": " + Arrays.toString(input), e);
            }
            long allocated = threads.getThreadAllocatedBytes(me) - before;
            if (allocated > MOST_ALLOCATED) {
                throw new AssertionError(
                        name + ", case " + n + " of seed " + SEED + " allocated " + allocated + " bytes");
            }
        }
        System.out.println("fuzz " + name + ": " + n + " cases, " + accepted + " accepted");
        assertThat(accepted)
                .as("cases that are right: without any the mutations reach nothing")
                .isPositive();
    }

    private static byte[] mutate(List<byte[]> corpus, SplittableRandom random) {
        byte[] out = corpus.get(random.nextInt(corpus.size())).clone();
        int edits = random.nextInt(5);
        for (int i = 0; i < edits; i++) {
            if (out.length == 0) {
                return new byte[] {(byte) random.nextInt()};
            }
            int at = random.nextInt(out.length);
            switch (random.nextInt(6)) {
                case 0 -> out[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> out[at] = (byte) random.nextInt();
                case 2 -> out[at] = (byte) (random.nextBoolean() ? 0xff : 0x7f);
                case 3 -> out = Arrays.copyOf(out, at);
                case 4 -> out = Arrays.copyOf(out, out.length + random.nextInt(64));
                default -> {
                    byte[] other = corpus.get(random.nextInt(corpus.size()));
                    int length = Math.min(other.length, out.length - at);
                    System.arraycopy(other, 0, out, at, length);
                }
            }
        }
        return out;
    }

    @Test
    void hellos() {
        fuzz("hello", Hello::decode, List.of(new Hello(true, true, new byte[32], new byte[32]).encode()));
    }

    @Test
    void identities() {
        fuzz(
                "identity",
                NodeIdentity::decode,
                List.of(new NodeIdentity(1, 2, 3, "host", "0.1", 8, "tcp", 4711, new byte[16], NICS).encode()));
    }

    @Test
    void offers() {
        fuzz(
                "offer",
                b -> Offer.decode(b, NICS, NICS),
                List.of(
                        new Offer(3, 0, 8, true, false, 16, 512 << 10, 3, RAILS, 1, new byte[] {1, 2, 3}).encode(),
                        new Offer(0, 0, 1, false, true, 1, 4096, 0, RAILS, 2, new byte[0]).encode()));
    }

    @Test
    void answers() {
        byte[] answer = new Answer(7, 12, List.of(0, 1, 0), List.of(new byte[] {9}, new byte[128])).encode();
        fuzz("answer", b -> Answer.decode(b, 2), List.of(answer));
    }

    @Test
    void handles() {
        fuzz("handles", Answer::decodeHandles, List.of(Answer.encodeHandles(List.of(new byte[44], new byte[128]))));
    }

    @Test
    void railsOfForeignNics() {
        byte[] node = new NodeIdentity(1, 2, 3, "host", "0.1", 8, "tcp", 4711, new byte[16], NICS).encode();
        fuzz(
                "rails",
                b -> {
                    List<RemoteNic> foreign = NodeIdentity.decode(b).nics();
                    RailSearch search = new RailSearch(NICS, foreign);
                    for (Rail r = search.next(0); r != null; r = search.next(0)) {
                        search.proven(r, 0);
                    }
                    RailGuess.rails(NICS, foreign, false).forEach(r -> foreign.get(r.client()));
                },
                List.of(node));
    }

    @Test
    void framesOfALinkThatIsMade() throws IOException {
        try (Sockets sockets = Sockets.pair()) {
            ControlConnection control =
                    new ControlConnection(new PlainStream(sockets.server()), org.sluice.Where.NOWHERE, 0);
            Heard heard = new Heard();
            fuzz(
                    "frames",
                    b -> {
                        heard.said.clear();
                        control.parse(ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN), heard);
                    },
                    List.of(
                            Sockets.frame(FrameType.OPEN, new byte[16]),
                            Sockets.frame(FrameType.GRANT, new byte[48]),
                            Sockets.frame(FrameType.LANDED, new byte[24]),
                            Sockets.frame(FrameType.WRITE, new byte[40]),
                            Sockets.frame(FrameType.READ, new byte[40]),
                            Sockets.frame(FrameType.REFUSED, new byte[24]),
                            Sockets.frame(FrameType.CHANNEL_DOWN, new byte[30]),
                            Sockets.frame(FrameType.CHANNEL_HANDLE, new byte[52]),
                            Sockets.frame(FrameType.CHANNEL_UP, new byte[8]),
                            Sockets.frame(FrameType.REGION, new byte[32]),
                            Sockets.frame(FrameType.NOTE, new byte[5]),
                            Sockets.frame(FrameType.ERROR, new byte[] {'w', 'h', 'y'}),
                            Sockets.frame(FrameType.PING, new byte[0]),
                            Sockets.frame(FrameType.GOODBYE, new byte[0])));
        }
    }

    @Test
    void unpackLists() {
        ByteBuffer right = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 3; i++) {
            right.putInt(4096 * i).putInt(4096).putLong(4096L * i);
        }
        ScatterList list = new ScatterList();
        fuzz(
                "unpack list",
                b -> {
                    list.set(MemorySegment.ofArray(b), b.length / 16, 0, 0, 1 << 20);
                    list.check(3 * 4096);
                    for (int i = 0; i < list.count(); i++) {
                        long end = list.destinationOffset(i) + list.length(i);
                        if (list.destinationOffset(i) < 0
                                || end > 3 * 4096
                                || list.sourceOffset(i) + list.length(i) > 1 << 20) {
                            throw new AssertionError("a descriptor out of bounds was let through");
                        }
                    }
                },
                List.of(right.array()));
    }
}
