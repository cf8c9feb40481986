package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.spi.Channel;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Nic;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/**
 * What the engine relies on, whatever the transport. A transport's test extends this and says how to open it; both ends of every
 * channel are turned by the test's one thread, so a call that blocks is seen as a test that does not end.
 */
@Timeout(60)
public abstract class TransportContract {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int REGION = 4 << 20;
    private static final byte UNTOUCHED = 0x5a;

    private final Patience patience = new Patience(PATIENCE);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @SuppressWarnings("NullAway.Init")
    private Transport server;

    @SuppressWarnings("NullAway.Init")
    private Transport client;

    @SuppressWarnings("NullAway.Init")
    private Gpu gpu;

    @SuppressWarnings("NullAway.Init")
    private GpuMemory source;

    @SuppressWarnings("NullAway.Init")
    private GpuMemory target;

    /** Opens the transport as one node would; called for each of the two ends. */
    protected abstract Transport open() throws TransportException;

    /** Whether handles are the transport's own, and so are checked; a plugin trusts what it is handed. */
    protected boolean checksHandles() {
        return true;
    }

    @BeforeEach
    void openBothEnds() throws TransportException {
        GpuBackend host = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals("host"))
                .findFirst()
                .orElseThrow();
        gpu = host.open(0);
        gpu.bindThread();
        source = gpu.allocate(REGION);
        target = gpu.allocate(REGION);
        byte[] random = new byte[REGION];
        new Random(7).nextBytes(random);
        bytes(source).copyFrom(MemorySegment.ofArray(random));
        bytes(target).fill(UNTOUCHED);
        server = open();
        opened.add(server);
        client = open();
        opened.add(client);
    }

    @AfterEach
    void closeBothEnds() throws Exception {
        for (AutoCloseable c : opened.reversed()) {
            c.close();
        }
        source.close();
        target.close();
        gpu.close();
    }

    private static MemorySegment bytes(GpuMemory memory) {
        return memory.host().orElseThrow();
    }

    private ChannelContext context(int channel) {
        return new ChannelContext(gpu, channel, patience);
    }

    private ChannelPair pair(int device, int number) throws TransportException {
        ChannelPair p = ChannelPair.make(patience, server, client, device, number, gpu, source, target);
        opened.add(p);
        return p;
    }

    private ChannelPair pair() throws TransportException {
        return pair(0, 0);
    }

    /** Posts chunks and turns both ends until all have been sent and received. */
    private void move(ChannelPair pair, long[] offsets, long[] sizes) throws TransportException {
        int[] next = new int[2];
        patience.turn("move " + sizes.length + " chunks", server.ringsDoorbell(), () -> {
            int work = 0;
            while (next[0] < sizes.length && pair.receive(offsets[next[0]], sizes[next[0]])) {
                next[0]++;
                work++;
            }
            while (next[1] < sizes.length && pair.send(offsets[next[1]], sizes[next[1]])) {
                next[1]++;
                work++;
            }
            work += pair.reapSends() + pair.reapReceives();
            return pair.sent() == sizes.length && pair.received() == sizes.length ? -1 : work;
        });
    }

    private void assertMoved(long offset, long size) {
        long wrong = MemorySegment.mismatch(bytes(source), offset, offset + size, bytes(target), offset, offset + size);
        assertThat(wrong).as("first wrong byte of %d at %d", size, offset).isEqualTo(-1);
    }

    private void assertUntouched(long offset, long end) {
        for (long i = offset; i < end; i++) {
            if (bytes(target).get(ValueLayout.JAVA_BYTE, i) != UNTOUCHED) {
                throw new AssertionError("byte " + i + " was written, it belongs to nobody's receive");
            }
        }
    }

    @Test
    @DisplayName("devices are numbered in order, have a name each and say what they can do")
    void devicesSayWhatTheyAre() {
        assertThat(server.name()).isEqualTo(client.name()).isNotBlank();
        assertThat(server.devices()).isNotEmpty();
        Set<String> names = new HashSet<>();
        for (int d = 0; d < server.devices().size(); d++) {
            Nic nic = server.devices().get(d);
            assertThat(nic.device()).isEqualTo(d);
            assertThat(names.add(nic.name())).as("unique name " + nic.name()).isTrue();
            assertThat(nic.memory()).contains(MemoryKind.HOST);
            assertThat(nic.maxRequests()).isPositive();
            assertThat(nic.maxMessageBytes()).isGreaterThanOrEqualTo(4096);
        }
    }

    @Test
    @DisplayName("an unknown device is refused with a message, not a crash")
    void unknownDevice() {
        int none = server.devices().size();
        assertThatThrownBy(() -> server.listen(none, context(0)))
                .isInstanceOfAny(TransportException.class, IndexOutOfBoundsException.class);
    }

    @Test
    @DisplayName("a handle fits in 128 bytes, and is a copy")
    void handle() throws TransportException {
        try (Listener listener = server.listen(0, context(0))) {
            byte[] first = listener.handle();
            assertThat(first).hasSizeBetween(1, Transport.MAX_HANDLE_BYTES);
            Arrays.fill(first, (byte) 0);
            byte[] second = listener.handle();
            assertThat(second).isNotEqualTo(first);
        }
    }

    @Test
    @DisplayName("accept answers \"not yet\" for as long as nobody connects")
    void acceptDoesNotBlock() throws TransportException {
        try (Listener listener = server.listen(0, context(0))) {
            for (int i = 0; i < 1000; i++) {
                assertThat(listener.accept()).isNull();
            }
        }
    }

    @Test
    @DisplayName("a foreign handle is an error, or leads nowhere: never another exception, never a channel")
    void foreignHandles() throws TransportException {
        assumeTrue(checksHandles(), "this transport hands handles on to a plugin, which trusts them");
        byte[] good;
        try (Listener listener = server.listen(0, context(0))) {
            good = listener.handle();
        }
        byte[][] bad = {{}, {1}, Arrays.copyOf(good, good.length / 2), new byte[Transport.MAX_HANDLE_BYTES]};
        for (byte[] handle : bad) {
            try (Connector connector = client.connect(0, handle, context(0))) {
                for (int i = 0; i < 100; i++) {
                    assertThat(connector.connect())
                            .as("channel from a handle of %d bytes", handle.length)
                            .isNull();
                }
            } catch (TransportException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    @DisplayName("a handle whose listener has closed gives an error or nothing, at once")
    void handleOfTheDead() throws TransportException {
        byte[] handle;
        try (Listener listener = server.listen(0, context(0))) {
            handle = listener.handle();
        }
        try (Connector connector = client.connect(0, handle, context(0))) {
            for (int i = 0; i < 100; i++) {
                SendChannel channel = connector.connect();
                if (channel != null) {
                    // the kernel or the plugin may take it on; then using it must fail, which closesAreSeen shows
                    channel.close();
                    return;
                }
            }
        } catch (TransportException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 7, 8, 4095, 4096, 4097, 65536, 524287, 524288, 524289, 1 << 20})
    @DisplayName("exactly the bytes of the send arrive, and no byte beside them is touched")
    void exactSizes(long size) throws TransportException {
        ChannelPair pair = pair();
        assumeTrue(size <= pair.nic.maxMessageBytes());
        long offset = 4096 + 64;
        move(pair, new long[] {offset}, new long[] {size});
        assertMoved(offset, size);
        assertUntouched(0, offset);
        assertUntouched(offset + size, offset + size + 8192);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 33, 999, 1000, 1024, 2500})
    @DisplayName("a message of many pieces at either end arrives in order, and no byte between the pieces is touched")
    void pieces(int count) throws TransportException {
        assumeTrue(server.mostPieces() > 1, "this transport takes messages of one piece only");
        Random random = new Random(count);
        try (Arena arena = Arena.ofConfined();
                ChannelPair pair = pair()) {
            long step = REGION / count;
            long bytes = 0;
            MemorySegment from = arena.allocate(count * 16L, 8);
            for (int i = 0; i < count; i++) {
                long length = 1 + random.nextLong(step / 2);
                from.set(ValueLayout.JAVA_LONG, i * 16L, source.address() + i * step);
                from.set(ValueLayout.JAVA_LONG, i * 16L + 8, length);
                bytes += length;
            }
            // the other end has its pieces elsewhere, of other lengths
            int most = (int) (bytes / 100 + 1);
            MemorySegment to = arena.allocate(most * 16L, 8);
            int targets = 0;
            long at = 0;
            for (long left = bytes; left > 0; targets++) {
                long length = Math.min(left, targets == most - 1 ? left : 100);
                to.set(ValueLayout.JAVA_LONG, targets * 16L, target.address() + at);
                to.set(ValueLayout.JAVA_LONG, targets * 16L + 8, length);
                at += length + 1;
                left -= length;
            }
            long sum = bytes;
            int parts = targets;
            boolean[] posted = new boolean[2];
            patience.turn("move a message of " + count + " pieces", server.ringsDoorbell(), () -> {
                posted[0] = posted[0] || pair.receivePieces(to.address(), parts, sum);
                posted[1] = posted[1] || pair.sendPieces(from.address(), count, sum);
                int work = pair.reapSends() + pair.reapReceives();
                return pair.sent() == 1 && pair.received() == 1 ? -1 : work;
            });
            byte[] expected = new byte[REGION];
            Arrays.fill(expected, UNTOUCHED);
            long stream = 0;
            long place = 0;
            for (int i = 0; i < count; i++) {
                for (long b = 0; b < from.get(ValueLayout.JAVA_LONG, i * 16L + 8); b++, stream++, place++) {
                    if (stream > 0 && stream % 100 == 0 && stream / 100 < parts) {
                        place++;
                    }
                    expected[(int) place] = bytes(source).get(ValueLayout.JAVA_BYTE, i * step + b);
                }
            }
            assertThat(MemorySegment.ofArray(expected).mismatch(bytes(target))).isEqualTo(-1);
        }
    }

    @Test
    @DisplayName("what is voided ends its receive without a byte, in order with what comes")
    void voids() throws TransportException {
        ChannelPair pair = pair();
        assumeTrue(pair.sender.sendsVoids(), "this transport sends no voids");
        int count = 300;
        long size = 5000;
        int[] next = new int[2];
        patience.turn("move and void " + count + " chunks", server.ringsDoorbell(), () -> {
            int work = 0;
            while (next[0] < count && pair.receive(next[0] * size, size)) {
                next[0]++;
                work++;
            }
            while (next[1] < count
                    && (next[1] % 3 == 0 ? pair.sendVoid(next[1] * size, size) : pair.send(next[1] * size, size))) {
                next[1]++;
                work++;
            }
            work += pair.reapSends() + pair.reapReceives();
            return pair.sent() == count && pair.received() == count ? -1 : work;
        });
        assertThat(pair.voided()).isEqualTo(100);
        for (int n = 0; n < count; n++) {
            if (n % 3 == 0) {
                assertUntouched(n * size, (n + 1) * size);
            } else {
                assertMoved(n * size, size);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    @DisplayName("messages of any sizes match in order and finish in order")
    void order(long seed) throws TransportException {
        ChannelPair pair = pair();
        Random random = new Random(seed);
        int count = 200;
        long[] offsets = new long[count];
        long[] sizes = new long[count];
        long at = 0;
        for (int i = 0; i < count; i++) {
            offsets[i] = at;
            sizes[i] = 1L + random.nextInt(random.nextInt(4) == 0 ? 20_000 : 100);
            at += sizes[i];
        }
        move(pair, offsets, sizes);
        assertMoved(0, at);
        assertUntouched(at, REGION);
    }

    @Test
    @DisplayName("sends that come before their receives wait for them")
    void sendsFirst() throws TransportException {
        ChannelPair pair = pair();
        long size = Math.min(64 << 10, pair.nic.maxMessageBytes());
        int posted = 0;
        while (posted < 8 && pair.send(posted * size, size)) {
            posted++;
        }
        int count = posted;
        assertThat(count).isPositive();
        int[] next = new int[1];
        patience.turn("receive what was sent before", server.ringsDoorbell(), () -> {
            int work = pair.reapSends();
            if (next[0] < count && pair.receive(next[0] * size, size)) {
                next[0]++;
                work++;
            }
            work += pair.reapReceives();
            return pair.sent() == count && pair.received() == count ? -1 : work;
        });
        assertMoved(0, count * size);
    }

    @Test
    @DisplayName("test says pending while nothing is posted, and while what is posted has not come")
    void pending() throws TransportException {
        ChannelPair pair = pair();
        assertThat(pair.receiver.test()).isEqualTo(Channel.PENDING);
        assertThat(pair.sender.test()).isEqualTo(Channel.PENDING);
        assertThat(pair.receive(0, 100)).isTrue();
        for (int i = 0; i < 100; i++) {
            assertThat(pair.receiver.test()).isEqualTo(Channel.PENDING);
        }
        assertUntouched(0, 4096);
    }

    @Test
    @DisplayName("a channel refuses what exceeds its requests by saying so, and takes more once some are done")
    void refusal() throws TransportException {
        ChannelPair pair = pair();
        int most = pair.nic.maxRequests();
        long size = 512;
        int tries = Math.min(most + 8, (int) (REGION / size));
        int accepted = 0;
        while (accepted < tries && pair.receive(accepted * size, size)) {
            accepted++;
        }
        assertThat(accepted).isBetween(1, most);
        int[] next = {accepted, 0};
        int count = Math.min(accepted * 3, (int) (REGION / size));
        patience.turn("go on after a refusal", server.ringsDoorbell(), () -> {
            int work = pair.reapSends() + pair.reapReceives();
            while (next[0] < count && pair.receive(next[0] * size, size)) {
                next[0]++;
                work++;
            }
            while (next[1] < count && pair.send(next[1] * size, size)) {
                next[1]++;
                work++;
            }
            return pair.sent() == count && pair.received() == count ? -1 : work;
        });
        assertMoved(0, count * size);
    }

    @Test
    @DisplayName("after close returns, nothing is written to posted memory any more")
    void noLateWrite() throws TransportException {
        ChannelPair pair = pair();
        long size = Math.min(1 << 20, pair.nic.maxMessageBytes());
        int posted = 0;
        while (posted < 4 && posted * size < REGION && pair.receive(posted * size, size)) {
            posted++;
        }
        int sends = 0;
        while (sends < posted && pair.send(sends * size, size)) {
            sends++;
        }
        pair.reapSends();
        pair.receiver.test();
        pair.receiver.close();
        bytes(target).fill(UNTOUCHED);
        // the sender goes on, until it sees that nobody is there or has nothing left to say
        int all = sends;
        patience.turn("send to a closed receiver", false, () -> {
            try {
                pair.reapSends();
                return pair.sent() == all ? -1 : 0;
            } catch (TransportException e) {
                return -1;
            }
        });
        assertUntouched(0, REGION);
    }

    @Test
    @DisplayName("a sender that closes is seen by a receiver that waits")
    void closeOfTheSenderIsSeen() throws TransportException {
        ChannelPair pair = pair();
        assertThat(pair.receive(0, 4096)).isTrue();
        pair.sender.close();
        awaitBroken("the sender has closed", pair::reapReceives);
        pair.receiver.close();
        assertUntouched(0, REGION);
    }

    @Test
    @DisplayName("a receiver that closes is seen by a sender that sends")
    void closeOfTheReceiverIsSeen() throws TransportException {
        ChannelPair pair = pair();
        pair.receiver.close();
        long size = Math.min(64 << 10, pair.nic.maxMessageBytes());
        awaitBroken("the receiver has closed", () -> pair.reapSends() + (pair.send(0, size) ? 1 : 0));
    }

    private void awaitBroken(String what, Patience.Turn turn) throws TransportException {
        patience.turn(what, server.ringsDoorbell(), () -> {
            try {
                return turn.turn();
            } catch (TransportException e) {
                assertThat(e.getMessage()).isNotBlank();
                return -1;
            }
        });
    }

    @Test
    @DisplayName("many channels over all devices are made side by side and move their own bytes")
    void manyChannels() throws TransportException {
        int devices = server.devices().size();
        int count = Math.max(8, devices * 2);
        List<Listener> listeners = new ArrayList<>();
        List<Connector> connectors = new ArrayList<>();
        for (int c = 0; c < count; c++) {
            Listener listener = server.listen(c % devices, context(c));
            listeners.add(listener);
            connectors.add(client.connect(c % devices, listener.handle(), context(c)));
        }
        @Nullable SendChannel[] senders = new SendChannel[count];
        @Nullable ReceiveChannel[] receivers = new ReceiveChannel[count];
        patience.poll(count + " channels at once", () -> {
            int missing = 0;
            for (int c = 0; c < count; c++) {
                senders[c] = senders[c] == null ? connectors.get(c).connect() : senders[c];
                receivers[c] = receivers[c] == null ? listeners.get(c).accept() : receivers[c];
                missing += senders[c] == null || receivers[c] == null ? 1 : 0;
            }
            return missing == 0 ? true : null;
        });
        for (int c = 0; c < count; c++) {
            listeners.get(c).close();
            connectors.get(c).close();
            opened.add(senders[c]);
            opened.add(receivers[c]);
            assertThat(senders[c].description()).isNotBlank();
            assertThat(receivers[c].description()).isNotBlank();
        }
        long size = 10_000;
        // each channel posts before any is turned, so that all are under way together
        for (int c = 0; c < count; c++) {
            assertThat(receivers[c].receive(
                            receivers[c].register(target), target.address() + c * size, size, 0, c * size))
                    .isTrue();
            assertThat(senders[c].send(senders[c].register(source), source.address() + c * size, size, 0, c * size))
                    .isTrue();
        }
        assumeTrue(
                server.devices().stream().noneMatch(Nic::scatters), "what is scattered is gathered in the other tests");
        int[] done = new int[2];
        boolean[][] ended = new boolean[2][count];
        patience.turn("all channels together", server.ringsDoorbell(), () -> {
            int work = 0;
            for (int c = 0; c < count; c++) {
                if (!ended[0][c] && senders[c].test() == Channel.DONE) {
                    ended[0][c] = true;
                    done[0]++;
                    work++;
                }
                if (!ended[1][c] && receivers[c].test() == Channel.DONE) {
                    ended[1][c] = true;
                    receivers[c].consumed();
                    done[1]++;
                    work++;
                }
            }
            return done[0] == count && done[1] == count ? -1 : work;
        });
        assertMoved(0, count * size);
        assertUntouched(count * size, REGION);
    }

    @Test
    @DisplayName("two channels between the same ends carry opposite directions at once")
    void bothDirections() throws TransportException {
        ChannelPair there = pair(0, 0);
        Transport swapped = server;
        server = client;
        client = swapped;
        ChannelPair back = pair(0, 1);
        long size = Math.min(256 << 10, there.nic.maxMessageBytes());
        for (int i = 0; i < 4; i++) {
            long at = i * 2L * size;
            assertThat(there.receive(at, size)).isTrue();
            assertThat(back.receive(at + size, size)).isTrue();
            assertThat(there.send(at, size)).isTrue();
            assertThat(back.send(at + size, size)).isTrue();
            patience.turn("both directions", server.ringsDoorbell(), () -> {
                int work = there.reapSends() + there.reapReceives() + back.reapSends() + back.reapReceives();
                boolean all = there.receivesPosted() + back.receivesPosted() == 0
                        && there.sent() == there.received()
                        && back.sent() == back.received();
                return all ? -1 : work;
            });
        }
        assertMoved(0, 8 * size);
    }

    @Test
    @DisplayName("registrations come and go while the channel lives")
    void registrations() throws Exception {
        ChannelPair pair = pair();
        for (int i = 0; i < 100; i++) {
            pair.sender.register(source).close();
            pair.receiver.register(target).close();
        }
        move(pair, new long[] {0}, new long[] {4096});
        assertMoved(0, 4096);
    }

    @Test
    @DisplayName("everything may be closed twice and in any order, at any stage")
    void closingTwice() throws TransportException {
        Listener listener = server.listen(0, context(0));
        Connector connector = client.connect(0, listener.handle(), context(0));
        connector.close();
        connector.close();
        listener.close();
        listener.close();

        ChannelPair pair = pair();
        pair.receive(0, 4096);
        pair.send(0, 4096);
        pair.sender.close();
        pair.sender.close();
        pair.receiver.close();
        pair.receiver.close();

        ChannelPair left = pair(0, 1);
        left.receive(0, 4096);
        server.close();
        server.close();
        client.close();
        client.close();
        left.receiver.close();
        left.sender.close();
    }

    @Test
    @DisplayName("channels are made and closed again and again")
    void churn() throws TransportException {
        for (int i = 0; i < 50; i++) {
            ChannelPair pair = pair(i % server.devices().size(), i % 64);
            long offset = i * 1000L;
            move(pair, new long[] {offset}, new long[] {1000});
            pair.close();
        }
        assertMoved(0, 50_000);
    }
}
