package org.sluice.rendezvous;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.ConfigException;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.Sockets;

/** Ranks that meet over real sockets: on time, late, twice, never; and strangers. */
@Timeout(60)
class MeetingPlaceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final byte[] SECRET = "a secret of the job".getBytes(StandardCharsets.UTF_8);
    private static final Chair ALL = (step, words) -> {
        StringBuilder all = new StringBuilder().append(step);
        words.forEach(w -> all.append(' ').append(new String(w, StandardCharsets.UTF_8)));
        return all.toString().getBytes(StandardCharsets.UTF_8);
    };

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable c : open) {
            c.close();
        }
        threads.close();
    }

    private static GroupConfig config(int rank, int world, int port, byte[] secret, Duration arrival) {
        return new GroupConfig(
                new Launch(rank, world, "127.0.0.1", port, "", "test"),
                secret,
                Optional.empty(),
                arrival,
                GroupConfig.USUAL_SILENCE);
    }

    private MeetingPlace place(int world, byte[] secret, Duration arrival) {
        MeetingPlace place = MeetingPlace.open(config(0, world, 0, secret, arrival), ALL);
        open.addFirst(place);
        return place;
    }

    private CompletableFuture<Group> join(int rank, int world, int port, byte[] secret, Duration arrival) {
        return CompletableFuture.supplyAsync(
                () -> {
                    Group group =
                            Group.join(config(rank, world, port, secret, arrival), "host-" + rank, "", 5000 + rank);
                    synchronized (open) {
                        open.addFirst(group);
                    }
                    return group;
                },
                threads);
    }

    private static String why(CompletableFuture<?> failed) {
        try {
            failed.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        } catch (CompletionException e) {
            assertThat(e.getCause()).isInstanceOf(SluiceException.class);
            return e.getCause().getMessage();
        }
        throw new AssertionError("it did not fail");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void allLearnWhereAllAreAndWaitForEachOtherAtEachStep() {
        int world = 5;
        MeetingPlace place = place(world, SECRET, PATIENCE);
        List<CompletableFuture<Group>> coming = new ArrayList<>();
        for (int r = world - 1; r >= 0; r--) {
            coming.addFirst(join(r, world, place.port(), SECRET, PATIENCE));
        }
        List<Group> groups = coming.stream().map(CompletableFuture::join).toList();
        for (Group g : groups) {
            assertThat(g.members())
                    .extracting(Attendee::address)
                    .containsExactly(
                            "127.0.0.1:5000", "127.0.0.1:5001", "127.0.0.1:5002", "127.0.0.1:5003", "127.0.0.1:5004");
            assertThat(g.members()).extracting(Attendee::toString).contains("rank 3 (host-3)");
        }
        for (int step = 0; step < 3; step++) {
            List<CompletableFuture<byte[]>> answers = new ArrayList<>();
            for (Group g : groups) {
                answers.add(CompletableFuture.supplyAsync(() -> g.meet(bytes("w" + g.rank()), PATIENCE), threads));
            }
            for (CompletableFuture<byte[]> a : answers) {
                assertThat(new String(a.join(), StandardCharsets.UTF_8)).isEqualTo(step + " w0 w1 w2 w3 w4");
            }
        }
    }

    @Test
    void rank0MayComeLast() {
        int port = freePort();
        CompletableFuture<Group> one = join(1, 2, port, SECRET, PATIENCE);
        MeetingPlace place = MeetingPlace.open(config(0, 2, port, SECRET, PATIENCE), ALL);
        open.addFirst(place);
        Group zero = join(0, 2, port, SECRET, PATIENCE).join();
        assertThat(one.join().members()).isEqualTo(zero.members());
    }

    private static int freePort() {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void missingRanksAreNamedToThoseWhoCame() {
        MeetingPlace place = place(6, SECRET, Duration.ofMillis(400));
        CompletableFuture<Group> zero = join(0, 6, place.port(), SECRET, PATIENCE);
        CompletableFuture<Group> three = join(3, 6, place.port(), SECRET, PATIENCE);
        assertThat(why(zero)).contains("ranks 1 and 2, 4 and 5 of 6 did not come within 400 ms", "are they started");
        assertThat(why(three)).contains("ranks 1 and 2, 4 and 5 of 6");
        // and who comes too late hears the same
        assertThat(why(join(1, 6, place.port(), SECRET, PATIENCE))).contains("it is over: ranks 1 and 2");
    }

    @Test
    void aDoubledRankIsTurnedAwayAndTheFirstOneStays() {
        MeetingPlace place = place(3, SECRET, PATIENCE);
        CompletableFuture<Group> one = join(1, 3, place.port(), SECRET, PATIENCE);
        while (!place.missing().equals("0, 2")) {
            Thread.onSpinWait();
        }
        assertThat(why(join(1, 3, place.port(), SECRET, PATIENCE)))
                .contains("rank 1 is here already, from host-1 at 127.0.0.1", "is one started twice?");
        CompletableFuture<Group> zero = join(0, 3, place.port(), SECRET, PATIENCE);
        join(2, 3, place.port(), SECRET, PATIENCE).join();
        assertThat(one.join().members()).isEqualTo(zero.join().members());
        assertThat(why(join(2, 3, place.port(), SECRET, PATIENCE))).contains("rank 2 is here already");
    }

    @Test
    void ranksThatDoNotFitAreTurnedAway() {
        MeetingPlace place = place(3, SECRET, PATIENCE);
        assertThat(why(join(1, 4, place.port(), SECRET, PATIENCE)))
                .contains("you say that there are 4 ranks, rank 0 says 3");
        assertThat(why(join(1, 3, place.port(), bytes("another secret"), PATIENCE)))
                .contains("secret");
        assertThat(why(join(1, 3, place.port(), new byte[0], PATIENCE))).contains("authentication failed");
        assertThat(place.missing()).isEqualTo("0 to 2");
    }

    @Test
    void noMeetingPlaceIsSaid() {
        assertThat(why(join(1, 2, freePort(), SECRET, Duration.ofMillis(300))))
                .contains("found no meeting place within 300 ms", "does rank 0 run there");
    }

    @Test
    void aTakenPortIsSaid() {
        MeetingPlace place = place(2, SECRET, PATIENCE);
        assertThatThrownBy(() -> MeetingPlace.open(config(0, 2, place.port(), SECRET, PATIENCE), ALL))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("is another job meeting here?");
    }

    @Test
    void aRankThatIsLostOrGivesUpEndsTheStepOfAllWithItsName() {
        MeetingPlace place = place(3, SECRET, PATIENCE);
        List<CompletableFuture<Group>> coming = new ArrayList<>();
        for (int r = 0; r < 3; r++) {
            coming.add(join(r, 3, place.port(), SECRET, PATIENCE));
        }
        List<Group> groups = coming.stream().map(CompletableFuture::join).toList();
        CompletableFuture<byte[]> zero =
                CompletableFuture.supplyAsync(() -> groups.get(0).meet(bytes("x"), PATIENCE), threads);
        groups.get(2).giveUp("its NIC eth1 burns");
        assertThat(why(zero)).contains("rank 2 (host-2) gave up: its NIC eth1 burns");
        assertThatThrownBy(() -> groups.get(1).meet(bytes("x"), PATIENCE))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("rank 2 (host-2) gave up");
    }

    @Test
    void aRankThatVanishesIsNamed() throws Exception {
        MeetingPlace place = place(2, new byte[0], PATIENCE);
        CompletableFuture<Group> zero = join(0, 2, place.port(), new byte[0], PATIENCE);
        try (SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", place.port()))) {
            FrameSocket one = new FrameSocket(channel, Deadline.in(PATIENCE));
            Handshake.asClient(one, null);
            one.write(FrameType.JOIN, new Join(2, "", new Attendee(1, "mortal", "", 9)).encode());
            one.read(FrameType.TABLE);
        }
        assertThatThrownBy(() -> zero.join().meet(bytes("x"), PATIENCE))
                .hasMessageContaining("rank 1 (mortal)")
                .hasMessageContaining("is lost");
    }

    @Test
    void hostileBytesCostNothingButTheirConnection() throws Exception {
        MeetingPlace place = place(2, SECRET, PATIENCE);
        Random random = new Random(7);
        List<SocketChannel> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", place.port()));
            byte[] payload = new byte[random.nextInt(100)];
            random.nextBytes(payload);
            byte[] said = switch (i % 4) {
                case 0 -> payload;
                case 1 ->
                    Sockets.frame(FrameType.MAGIC, FrameType.VERSION, FrameType.JOIN.code, 0, payload.length, payload);
                case 2 ->
                    Sockets.frame(
                            FrameType.MAGIC, FrameType.VERSION, FrameType.HELLO.code, 0, Integer.MAX_VALUE, payload);
                default -> new byte[0];
            };
            try {
                channel.write(ByteBuffer.wrap(said));
            } catch (IOException e) {
                // it gave way to those that came later
            }
            all.add(channel);
        }
        CompletableFuture<Group> zero = join(0, 2, place.port(), SECRET, PATIENCE);
        join(1, 2, place.port(), SECRET, PATIENCE).join();
        assertThat(zero.join().members()).hasSize(2);
        assertThat(place.missing()).isEmpty();
        for (SocketChannel c : all) {
            c.close();
        }
    }

    /** What a rank without a secret may say after its hello: each ends that connection, and the place is as before. */
    @Test
    void wordsOutOfTurnEndTheirConnection() throws Exception {
        MeetingPlace place = place(2, new byte[0], PATIENCE);
        byte[] joined = new Join(2, "", new Attendee(1, "odd", "", 9)).encode();
        byte[] cut = Arrays.copyOf(joined, joined.length - 1);
        byte[] long255 = joined.clone();
        long255[6] = (byte) 0xff;
        for (byte[] payload : List.of(cut, long255)) {
            try (SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", place.port()))) {
                FrameSocket one = new FrameSocket(channel, Deadline.in(PATIENCE));
                Handshake.asClient(one, null);
                one.write(FrameType.JOIN, payload);
                assertThatThrownBy(() -> one.read(FrameType.TABLE))
                        .isInstanceOf(SluiceException.class)
                        .hasMessageContaining("JOIN");
            }
        }
        // a word before all have come: its rank is free again
        try (SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", place.port()))) {
            FrameSocket one = new FrameSocket(channel, Deadline.in(PATIENCE));
            Handshake.asClient(one, null);
            one.write(FrameType.JOIN, joined);
            one.write(FrameType.WORD, Group.word(0, new byte[3]));
            assertThatThrownBy(() -> one.read(FrameType.TABLE)).isInstanceOf(EOFException.class);
        }
        CompletableFuture<Group> zero = join(0, 2, place.port(), new byte[0], PATIENCE);
        while (!place.missing().equals("1")) {
            Thread.onSpinWait();
        }
        join(1, 2, place.port(), new byte[0], PATIENCE).join();
        assertThat(zero.join().members()).hasSize(2);
    }

    /** Both ends of each connection are in this process, so that the place itself takes less than what is measured. */
    @Test
    void aRankTakesAMebibyteAtMostWhileAllSayTheirLargestWord() throws Exception {
        int world = 64;
        long[] most = new long[1];
        long before = used();
        MeetingPlace place = MeetingPlace.open(config(0, world, 0, SECRET, PATIENCE), (step, words) -> {
            most[0] = used();
            return new byte[Group.MOST_WORD_BYTES];
        });
        open.addFirst(place);
        List<CompletableFuture<byte[]>> answers = new ArrayList<>();
        for (int r = 0; r < world; r++) {
            answers.add(join(r, world, place.port(), SECRET, PATIENCE)
                    .thenApplyAsync(g -> g.meet(new byte[Group.MOST_WORD_BYTES], PATIENCE), threads));
        }
        for (CompletableFuture<byte[]> a : answers) {
            assertThat(a.join()).hasSize(Group.MOST_WORD_BYTES);
        }
        assertThat((most[0] - before) / world).isLessThan(1 << 20);
    }

    /** Bytes of the heap that something holds on to. */
    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void aTableOfManyRanksGoesInSeveralFrames() {
        List<Attendee> all = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            all.add(new Attendee(
                    i,
                    "a-rather-long-name-of-a-machine-" + i,
                    i % 3 == 0 ? "" : "2001:db8:1234:5678:9abc:def0:1234:" + i,
                    i));
        }
        List<byte[]> frames = Join.encodeTable(all);
        assertThat(frames.size()).isGreaterThan(1);
        assertThat(frames.stream().allMatch(f -> f.length <= FrameType.TABLE.most))
                .isTrue();
        List<Attendee> back = new ArrayList<>();
        frames.forEach(f -> Join.decodeTable(f, 2000, "here", back));
        assertThat(back).hasSize(2000);
        assertThat(back.get(1998)).isEqualTo(new Attendee(1998, "a-rather-long-name-of-a-machine-1998", "here", 1998));
        assertThatThrownBy(() -> Join.decodeTable(frames.get(0), 10, "here", new ArrayList<>()))
                .isInstanceOf(SluiceException.class);
    }
}
