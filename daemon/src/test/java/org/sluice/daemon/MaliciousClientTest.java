package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.linux.Descriptor;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;

/**
 * Clients that send what they should not, beside one that goes on and compares every byte. {@code -Dsluice.entries=10000000} makes it a
 * long run; {@code -Dsluice.seed=N} another one.
 */
@SuppressWarnings("ByteBufferBackingArray") // made by ByteBuffer.allocate
final class MaliciousClientTest {
    private static final long SEED = Long.getLong("sluice.seed", 151);
    private static final int ENTRIES = Integer.getInteger("sluice.entries", 20_000);
    private static final int SOCKETS = Integer.getInteger("sluice.sockets", 60);

    @TempDir
    private Path directory;

    private DaemonPair pair;
    private Process steady;

    @BeforeEach
    void start() throws Exception {
        pair = DaemonPair.in(directory);
        steady = new ProcessBuilder(
                        CClient.plain("traffic").toString(),
                        pair.a().socket().toString(),
                        pair.b().socket().toString(),
                        pair.addressOfB(),
                        "3600")
                .redirectErrorStream(true)
                .start();
        BufferedReader said =
                new BufferedReader(new InputStreamReader(steady.getInputStream(), StandardCharsets.UTF_8));
        assertThat(said.readLine()).isEqualTo("started");
    }

    @AfterEach
    void othersWentOn() throws Exception {
        try {
            Gone.until(() -> pair.a().clients().size() == 1 && pair.a().buried(), "the end of the malicious");
            ClientCounts counts = pair.a().clients().getFirst().counts();
            long done = counts.done();
            Gone.until(() -> pair.a().clients().getFirst().counts().done() > done, "the other client's next transfer");
            assertThat(steady.isAlive()).isTrue();
            assertThat(counts.failed()).isZero();
        } finally {
            steady.destroyForcibly();
            pair.close();
        }
    }

    @Test
    @DisplayName("random bytes on the socket end that conversation and no other")
    void randomBytes() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < SOCKETS; i++) {
            try (RawClient client = new RawClient(pair.a().socket())) {
                byte[] bytes = new byte[random.nextInt(2000)];
                random.nextBytes(bytes);
                if (random.nextBoolean()) { // a head that can be, so that the rest is looked at
                    ByteBuffer.wrap(bytes).putShort(Math.min(6, Math.max(0, bytes.length - 2)), (short) 0);
                }
                client.send(bytes, List.of());
            }
        }
    }

    @Test
    @DisplayName("requests with random contents and descriptors of every kind are refused one by one")
    void randomRequests() throws Exception {
        Random random = new Random(SEED);
        try (Descriptor memory = Memfd.open("m", 1 << 20);
                Descriptor sealed = Memfd.sealed("s", 1 << 20);
                EventFd event = EventFd.open();
                FileChannel file = FileChannel.open(
                        directory.resolve("f"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            assertThat(file.isOpen()).isTrue();
            int[] kinds = {memory.fd(), sealed.fd(), event.fd(), 0, 1};
            for (int i = 0; i < SOCKETS; i++) {
                try (RawClient client = new RawClient(pair.a().socket())) {
                    RawClient.Shared shared = client.greet(16);
                    for (int n = 0; n < 10; n++) {
                        ByteBuffer payload = RawClient.bytes(random.nextInt(4) == 0 ? random.nextInt(200) : 112);
                        random.nextBytes(payload.array());
                        int type = 10 + random.nextInt(13);
                        if (type == Protocol.REGISTER
                                && payload.capacity() >= 48) { // as it should be but for a word or two
                            payload.putInt(0, random.nextInt(6)).putInt(4, random.nextInt(3));
                            payload.putLong(24, random.nextInt(3) * 4096L).putLong(32, random.nextInt(1 << 21));
                        }
                        if ((type == Protocol.LINK || type == Protocol.IMPORT) && payload.capacity() >= 16) {
                            payload.putInt(0, 0).putInt(4, 0).putInt(8, 5); // a short wait
                        }
                        List<Integer> fds = random.nextInt(3) == 0
                                ? List.of()
                                : random.ints(1 + random.nextInt(3), 0, kinds.length)
                                        .mapToObj(k -> kinds[k])
                                        .toList();
                        if (!client.send(type, n, payload, fds)) {
                            break;
                        }
                    }
                    shared.mapping().close();
                }
            }
        }
    }

    @Test
    @DisplayName("random entries, lists and indices in the rings are refused, or end that conversation")
    void randomEntries() throws Exception {
        Random random = new Random(SEED);
        int sent = 0;
        long began = System.nanoTime();
        while (sent < ENTRIES) {
            try (RawClient client = new RawClient(pair.a().socket());
                    Descriptor memory = Memfd.open("m", 1 << 16)) {
                RawClient.Shared shared = client.greet(256);
                ByteBuffer register = RawClient.bytes(48);
                register.putInt(1).putInt(0).putLong(random.nextLong()).putLong(random.nextLong());
                register.putLong(0).putLong(1 << 16).putLong(0).flip();
                client.send(Protocol.REGISTER, 2, register, List.of(memory.fd()));
                int number = client.answer().payload().getInt(0);
                ByteBuffer link = RawClient.bytes(16 + pair.addressOfB().length());
                link.putInt(0).putInt(0).putInt(10_000).putInt(0);
                link.put(pair.addressOfB().getBytes(StandardCharsets.US_ASCII)).flip();
                client.send(Protocol.LINK, 3, link, List.of());
                int linked = client.answer().payload().getInt(0);
                sent += entries(shared, random, number, linked, Math.min(20_000, ENTRIES - sent));
                shared.mapping().close();
            }
        }
        System.out.println("malicious entries: " + sent + " in "
                + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) + " ms");
    }

    /** Publishes entries that are nearly right, reads no completion rightly. @return how many */
    private static int entries(RawClient.Shared shared, Random random, int memory, int link, int most) {
        MemorySegment area = shared.bytes();
        int lists = shared.at(56);
        int listBytes = shared.at(60);
        for (int i = 0; i < listBytes; i += 8) {
            area.set(
                    ValueLayout.JAVA_LONG,
                    lists + (long) i,
                    random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(70_000));
        }
        long tail = 0;
        long quiet = System.nanoTime();
        while (tail < most) {
            long head = area.get(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_HEAD);
            if (tail - head >= 256) {
                long told = area.get(ValueLayout.JAVA_LONG, Protocol.COMPLETION_TAIL);
                area.set(ValueLayout.JAVA_LONG, Protocol.COMPLETION_HEAD, told);
                shared.bell().signal();
                if (System.nanoTime() - quiet > 2_000_000_000L) {
                    break; // the daemon has had enough
                }
                Thread.onSpinWait();
                continue;
            }
            quiet = System.nanoTime();
            long at = Protocol.SUBMISSIONS + (tail & 255) * Protocol.SUBMISSION_BYTES;
            for (int i = 0; i < Protocol.SUBMISSION_BYTES; i += 8) {
                long word = random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(70_000);
                area.set(ValueLayout.JAVA_LONG, at + i, word);
            }
            area.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt(random.nextInt(10) == 0 ? 256 : 5));
            area.set(ValueLayout.JAVA_BYTE, at + 1, (byte) random.nextInt(8));
            area.set(ValueLayout.JAVA_INT, at + 4, random.nextInt(8) == 0 ? random.nextInt() : link);
            area.set(ValueLayout.JAVA_INT, at + 16, random.nextInt(8) == 0 ? random.nextInt() : memory);
            tail++;
            if (random.nextInt(20_000) == 0) {
                tail += random.nextInt(1000); // an index that cannot be
            }
            area.set(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_TAIL, tail);
            if (random.nextInt(64) == 0) {
                shared.bell().signal();
            }
        }
        return (int) Math.min(tail, most);
    }

    @Test
    @DisplayName("indices that cannot be end the conversation")
    void impossibleIndices() throws Exception {
        for (int offset : new int[] {Protocol.SUBMISSION_TAIL, Protocol.COMPLETION_HEAD}) {
            for (long index : new long[] {-1, Long.MIN_VALUE, 1L << 40, 17}) {
                try (RawClient client = new RawClient(pair.a().socket())) {
                    RawClient.Shared shared = client.greet(16);
                    if (offset == Protocol.COMPLETION_HEAD) { // looked at when something is to be taken
                        shared.bytes().set(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_TAIL, 1);
                    }
                    shared.bytes().set(ValueLayout.JAVA_LONG, offset, index);
                    shared.bell().signal();
                    assertThat(client.isEnded())
                            .as("offset " + offset + ", index " + index)
                            .isTrue();
                    shared.mapping().close();
                }
            }
        }
    }

    @Test
    @DisplayName("a client that reads no completions is not served for ever, and the area cannot be made shorter")
    void neverReads() throws Exception {
        try (RawClient client = new RawClient(pair.a().socket())) {
            RawClient.Shared shared = client.greet(16);
            long tail = 0;
            MemorySegment area = shared.bytes();
            long end = System.nanoTime() + 300_000_000L;
            while (System.nanoTime() < end) {
                if (tail - area.get(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_HEAD) < 16) {
                    area.set(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_TAIL, ++tail);
                }
                shared.bell().signal();
            }
            assertThat(area.get(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_HEAD))
                    .isEqualTo(16);
            assertThat(area.get(ValueLayout.JAVA_LONG, Protocol.COMPLETION_TAIL))
                    .isEqualTo(16);
            area.set(ValueLayout.JAVA_LONG, Protocol.COMPLETION_HEAD, 16);
            shared.bell().signal();
            Gone.until(() -> area.get(ValueLayout.JAVA_LONG, Protocol.SUBMISSION_HEAD) == 32, "the next entries");
            shared.mapping().close();
        }
    }

    @Test
    @DisplayName("whoever says nothing is sent away, and one too many is told so")
    void theSilentAndTheMany() throws Exception {
        try (RawClient silent = new RawClient(pair.a().socket())) {
            assertThat(silent.isEnded()).isTrue();
        }
        RawClient[] many = new RawClient[DaemonPair.QUOTAS.clients() + 1];
        try {
            for (int i = 0; i < many.length; i++) {
                many[i] = new RawClient(pair.a().socket());
            }
            RawClient.Answer last = many[many.length - 1].answer();
            assertThat(last.status()).isEqualTo(Status.QUOTA.code());
        } catch (LinuxException e) {
            throw new AssertionError("told nothing", e);
        } finally {
            for (RawClient c : many) {
                if (c != null) {
                    c.close();
                }
            }
        }
    }
}
