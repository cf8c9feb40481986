package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.sluice.spi.TransportException;

/**
 * The transport's parsers against seeded mutations of right input: they end, and say no with the documented exception only. {@code
 * -Dfuzz.seconds} and {@code -Dfuzz.seed} as for the control plane's.
 */
class TcpFuzzTest {
    private static final long SECONDS = Long.getLong("fuzz.seconds", 1);
    private static final long CASES = Long.getLong("fuzz.cases", 10_000_000);
    private static final long SEED = Long.getLong("fuzz.seed", 20_250_911);
    private static final byte[] TOKEN = new byte[Handle.TOKEN_BYTES];

    private interface Target {
        /** @return whether it was taken for right */
        boolean parse(byte[] input) throws Exception;
    }

    private static void fuzz(String name, Target target, List<byte[]> corpus) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long end = threads.getCurrentThreadCpuTime() + SECONDS * 1_000_000_000L;
        long accepted = 0;
        long n = 0;
        for (; n < CASES && (n % 256 != 0 || threads.getCurrentThreadCpuTime() < end); n++) {
            SplittableRandom random = new SplittableRandom(SEED + n);
            byte[] input = corpus.get(random.nextInt(corpus.size())).clone();
            for (int i = random.nextInt(4); i > 0 && input.length > 0; i--) {
                int at = random.nextInt(input.length);
                switch (random.nextInt(4)) {
                    case 0 -> input[at] ^= (byte) (1 << random.nextInt(8));
                    case 1 -> input[at] = (byte) random.nextInt();
                    case 2 -> input = Arrays.copyOf(input, at);
                    default -> input = Arrays.copyOf(input, input.length + random.nextInt(32));
                }
            }
            try {
                accepted += target.parse(input) ? 1 : 0;
            } catch (TransportException expected) {
                // the documented no
            } catch (Throwable e) {
                throw new AssertionError(name + ", case " + n + " of seed " + SEED + ": " + Arrays.toString(input), e);
            }
        }
        System.out.println("fuzz " + name + ": " + n + " cases, " + accepted + " accepted");
        assertThat(accepted).isPositive();
        assertThat(accepted).isLessThan(n);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void handles() throws Exception {
        Handle four = new Handle(new InetSocketAddress(InetAddress.ofLiteral("10.1.0.1"), 4711), 4712, TOKEN, 2, false);
        Handle six = new Handle(new InetSocketAddress(InetAddress.ofLiteral("fd00::1"), 65535), 1, TOKEN, 16, true);
        for (Handle h : List.of(four, six)) {
            assertThat(Handle.decode(h.encode())).usingRecursiveComparison().isEqualTo(h);
        }
        fuzz(
                "tcp handle",
                b -> {
                    Handle h = Handle.decode(b);
                    return h.sockets() >= 1
                            && h.sockets() <= Handle.MOST_SOCKETS
                            && h.address().getPort() > 0;
                },
                List.of(four.encode(), six.encode()));
    }

    @Test
    void greetings() {
        fuzz(
                "greeting",
                b -> {
                    int purpose = Greeting.purpose(Arrays.copyOf(b, Greeting.BYTES));
                    return purpose == Greeting.DATA || purpose == Greeting.PROOF;
                },
                List.of(Greeting.encode(TOKEN, Greeting.DATA), Greeting.encode(TOKEN, Greeting.PROOF)));
    }

    @Test
    void replies() throws Exception {
        for (Reply r : List.of(new Reply(Reply.OPENED, 3), new Reply(Reply.CLOSED, 1 << 16))) {
            assertThat(Reply.decode(r.encode())).isEqualTo(r);
        }
        fuzz(
                "reply",
                b -> {
                    try {
                        int kind = Reply.decode(Arrays.copyOf(b, Reply.BYTES)).kind();
                        return kind == Reply.OPENED || kind == Reply.CLOSED;
                    } catch (FrameException expected) {
                        return false;
                    }
                },
                List.of(new Reply(Reply.OPENED, 3).encode(), new Reply(Reply.CLOSED, 1 << 16).encode()));
    }

    @Test
    void framesThatWereNotAwaited() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment head = arena.allocate(FrameHead.BYTES, 8);
            FrameHead.write(head, FrameHead.DATA, FrameHead.CHECKED, 6, 7, 8, 9, 10);
            byte[] right = head.toArray(ValueLayout.JAVA_BYTE);
            fuzz(
                    "data frame",
                    b -> {
                        MemorySegment.copy(
                                Arrays.copyOf(b, FrameHead.BYTES), 0, head, ValueLayout.JAVA_BYTE, 0, FrameHead.BYTES);
                        assertThat(FrameHead.text(head).length()).isLessThan(200);
                        return FrameHead.isFrame(head) && FrameHead.announces(head, false, 7, 8, 9);
                    },
                    List.of(right));
        }
    }

    @Test
    void optionsAndBindings() {
        fuzz(
                "tcp options",
                b -> {
                    String text = new String(b, StandardCharsets.ISO_8859_1);
                    TcpOptions options = TcpOptions.of(Map.of("affinity", "off", "drill", text));
                    return options.drill() != null;
                },
                List.of(ascii("reset:1000,stall:5000,damage:500"), ascii("reset:1")));
        fuzz(
                "bindings",
                b -> {
                    String text = new String(b, StandardCharsets.ISO_8859_1);
                    return TcpOptions.of(Map.of("tx-bindings", text)) != null;
                },
                List.of(ascii("eth1:0-1;eth2:0,1"), ascii("lo:0")));
    }
}
