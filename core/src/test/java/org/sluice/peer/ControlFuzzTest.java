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
import org.sluice.Pieces;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.Where;
import org.sluice.host.HostGpuBackend;
import org.sluice.spi.Gpu;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PieceCheck;
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

    private static final Gpu HOST = new HostGpuBackend().open(0);

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
                    new ControlConnection(new PlainStream(sockets.server()), org.sluice.Where.NOWHERE, null, 0);
            Heard heard = new Heard();
            fuzz(
                    "frames",
                    b -> {
                        heard.said.clear();
                        control.parse(ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN), heard);
                    },
                    List.of(
                            Sockets.frame(FrameType.OPEN, new byte[32]),
                            Sockets.frame(FrameType.GRANT, new byte[48]),
                            Sockets.frame(FrameType.LANDED, new byte[24]),
                            Sockets.frame(FrameType.WRITE, new byte[56]),
                            Sockets.frame(FrameType.READ, new byte[56]),
                            Sockets.frame(FrameType.CANCEL, new byte[16]),
                            Sockets.frame(FrameType.ENDED, new byte[16]),
                            Sockets.frame(FrameType.NOTIFICATION, new byte[3]),
                            Sockets.frame(FrameType.TAKEN, new byte[8]),
                            Sockets.frame(FrameType.PREPARE, new byte[8]),
                            Sockets.frame(FrameType.RELEASE, new byte[8]),
                            Sockets.frame(FrameType.SELECTION, new byte[28]),
                            Sockets.frame(FrameType.BYTES, new byte[4]),
                            Sockets.frame(FrameType.REFUSED, new byte[24]),
                            Sockets.frame(FrameType.CHANNEL_DOWN, new byte[30]),
                            Sockets.frame(FrameType.CHANNEL_HANDLE, new byte[52]),
                            Sockets.frame(FrameType.CHANNEL_UP, new byte[8]),
                            Sockets.frame(FrameType.REGION, new byte[32]),
                            Sockets.frame(FrameType.CREDIT, new byte[24]),
                            Sockets.frame(FrameType.WITHDRAW, new byte[] {'n'}),
                            Sockets.frame(FrameType.NOTE, new byte[5]),
                            Sockets.frame(FrameType.ERROR, new byte[] {'w', 'h', 'y'}),
                            Sockets.frame(FrameType.PING, new byte[0]),
                            Sockets.frame(FrameType.GOODBYE, new byte[0])));
        }
    }

    /** The frames of a layout, one behind the other. */
    private static byte[] layout(RemoteLayout layout) throws IOException {
        try (Sockets sockets = Sockets.pair()) {
            ControlConnection from = new ControlConnection(new PlainStream(sockets.client()), Where.NOWHERE, null, 0);
            from.layout(1, layout);
            while (from.flush(1)) {
                // all of it fits the socket's buffer
            }
            sockets.client().shutdownOutput();
            ByteBuffer all = ByteBuffer.allocate(1 << 16);
            sockets.server().configureBlocking(true);
            while (sockets.server().read(all) >= 0) {
                // to the end
            }
            return Arrays.copyOf(all.array(), all.position());
        }
    }

    @Test
    void layoutsOfPiecesThatAreInsideTheirRegionsAndApart() throws IOException {
        RemoteRegion a = new RemoteRegion(1, 2, 0);
        RemoteRegion b = new RemoteRegion(3, 4, 0);
        MemoryBlock[] memory = {
            new MemoryBlock(HOST.adopt(1 << 20, 4096), 0), new MemoryBlock(HOST.adopt(2 << 20, 4096), 1)
        };
        byte[] written = new byte[4096 * 2];
        try (Sockets sockets = Sockets.pair()) {
            Heard heard = new Heard();
            ControlConnection to = new ControlConnection(new PlainStream(sockets.server()), Where.NOWHERE, null, 0);
            fuzz(
                    "layout",
                    bytes -> {
                        heard.said.clear();
                        heard.layouts.clear();
                        to.parse(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), heard);
                        for (RemoteLayout l : heard.layouts) {
                            mustBeSafe(l.pieces(), memory, written);
                        }
                    },
                    List.of(
                            layout(RemoteLayout.blocks(a, 64, 100, 3, 1, 2, 7)),
                            layout(RemoteLayout.strided(a, 8, 16, 32, 4, 256, 3)),
                            layout(RemoteLayout.list()
                                    .add(a, 0, 5)
                                    .add(b, 5, 0)
                                    .add(a, 100, 7)
                                    .add(b, 4000, 96)
                                    .build())));
        }
    }

    /** What is let through writes no byte twice and none outside. */
    private static void mustBeSafe(Pieces pieces, MemoryBlock[] memory, byte[] written) {
        if (pieces.count() > 1000 || PieceCheck.check(memory, pieces, true) != null) {
            return;
        }
        Arrays.fill(written, (byte) 0);
        for (int i = 0; i < pieces.count(); i++) {
            int region = 0;
            long offset;
            long length;
            switch (pieces) {
                case Pieces.Range r -> {
                    offset = r.offset();
                    length = r.bytes();
                }
                case Pieces.Blocks b -> {
                    offset = b.base() + b.index(i) * b.blockBytes();
                    length = b.blockBytes();
                }
                case Pieces.Strided s -> {
                    offset = s.offset() + i / s.innerCount() * s.outerStride() + i % s.innerCount() * s.stride();
                    length = s.blockBytes();
                }
                case Pieces.Listed l -> {
                    region = l.region(i);
                    offset = l.offset(i);
                    length = l.length(i);
                }
            }
            if (offset < 0 || length > 4096 - offset) {
                if (length > 0) {
                    throw new AssertionError("a piece outside its region was let through: " + pieces);
                }
                continue;
            }
            for (long at = offset; at < offset + length; at++) {
                if (written[(int) (region * 4096L + at)]++ != 0) {
                    throw new AssertionError("pieces that overlap were let through: " + pieces);
                }
            }
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
