package org.sluice.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.Where;

class ControlConnectionTest {
    private Sockets sockets;
    private ControlConnection here;
    private ControlConnection there;
    private final Heard heard = new Heard();

    @BeforeEach
    void connect() throws IOException {
        sockets = Sockets.pair();
        here = new ControlConnection(new PlainStream(sockets.client()), Where.NOWHERE, null, 0);
        there = new ControlConnection(new PlainStream(sockets.server()), Where.NOWHERE, null, 0);
    }

    @AfterEach
    void close() throws IOException {
        sockets.close();
    }

    /** Sends all and reads until {@code count} things were heard. */
    private void carry(int count) throws IOException {
        while (heard.said.size() < count) {
            here.flush(1);
            there.read(heard, 1);
        }
    }

    @Test
    void everyFrameSaysAtTheOtherEndWhatWasSaid() throws IOException {
        RemoteRegion region = new RemoteRegion(3, 4, 100);
        here.open(1, 1L << 40, -3, 1 << 30, 7, 5);
        here.oneSided(FrameType.WRITE, 2, 6, region, 5, 0, 4096, 1, 65535);
        here.oneSided(FrameType.READ, 7, 11, region, 1L << 50, 12, 1, 0, 4);
        here.grant(12, 1L << 50, 1 << 30, 63, 65535);
        here.landed(-1);
        here.refused(13, TransferRefusal.BOUNDS, 14);
        here.channelDown(true, 15, 16, "cable\npulled");
        here.channelHandle(17, 18, new byte[] {1, 2, 3});
        here.channelUp(19, 20);
        here.probe();
        here.pong();
        here.note(new byte[64 << 10]);
        here.region("weights", 21, 22, 23);
        here.withdraw("weights");
        here.credit(CreditKind.REGIONS, 24, 25);
        here.cancel(24, 1);
        here.ended(25, 2);
        here.notification(new byte[64 << 10]);
        here.taken(26);
        here.bytes(16 << 10, to -> to.fill((byte) 3));
        here.error("enough");
        here.goodbye();
        carry(21);
        assertThat(heard.said)
                .containsExactly(
                        "open 1 1099511627776 -3 1073741824 7 5",
                        "write 2 6 3 4 5 0 4096 1 65535",
                        "read 7 11 3 4 1125899906842624 12 1 0 4",
                        "grant 12 1125899906842624 1073741824 63 65535",
                        "landed -1",
                        "refused 13 BOUNDS 14",
                        "down true 15 16 cable?pulled",
                        "handle 17 18 010203",
                        "up 19 20",
                        "ping",
                        "note 65536",
                        "region weights 21 22 23",
                        "withdraw weights",
                        "credit REGIONS 24 25",
                        "cancel 24 1",
                        "ended 25 2",
                        "notification 65536",
                        "taken 26",
                        "bytes 16384",
                        "error enough",
                        "goodbye");
    }

    @Test
    void aPeerThatTalksWithoutEndDoesNotHoldTheReaderUp() throws IOException {
        int pings = 100_000;
        ByteBuffer ping = ByteBuffer.allocate(FrameType.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        FrameHeader.write(ping, FrameType.PING, 0);
        there = new ControlConnection(
                new PlainStream(new TalkingSocket(ping.array(), (long) pings * ping.capacity())),
                Where.NOWHERE,
                null,
                0);
        assertThat(there.read(heard, 1)).isTrue();
        assertThat(heard.said.size()).as("heard in one turn").isLessThan(pings / 2);
        while (there.mayHaveMore()) {
            there.read(heard, 1);
        }
        assertThat(heard.said).hasSize(pings).containsOnly("ping");
    }

    @Test
    void manyGrantsShareHeadersAndKeepTheirOrder() throws IOException {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            here.grant(i, i * 2L, 1, i % 64, 0);
            expected.add("grant " + i + " " + i * 2 + " 1 " + i % 64 + " 0");
        }
        carry(10_000);
        assertThat(heard.said).isEqualTo(expected);
    }

    @Test
    void framesThatComeByteByByteAreFramesAllTheSame() throws IOException {
        byte[] frame = Sockets.frame(FrameType.LANDED, new byte[] {5, 0, 0, 0, 0, 0, 0, 0});
        for (byte b : frame) {
            assertThat(heard.said).isEmpty();
            Sockets.send(sockets.client(), new byte[] {b});
            awaitReadable();
            there.read(heard, 1);
        }
        assertThat(heard.said).containsExactly("landed 5");
    }

    private void awaitReadable() throws IOException {
        try (var selector = java.nio.channels.Selector.open()) {
            var key = sockets.server().register(selector, java.nio.channels.SelectionKey.OP_READ);
            selector.select(10_000);
            key.cancel();
            selector.selectNow();
        }
    }

    @Test
    void layoutsOfEveryFormArriveAsTheyWereHoweverLong() throws IOException {
        RemoteRegion a = new RemoteRegion(1, 2, 0);
        RemoteRegion b = new RemoteRegion(3, 4, 0);
        int[] indices = new java.util.Random(5).ints(200_000, 0, 1 << 30).toArray();
        RemoteLayout.Builder list = RemoteLayout.list();
        for (int i = 0; i < 10_000; i++) {
            list.add(i % 3 == 0 ? a : b, i, i % 5);
        }
        List<RemoteLayout> all = List.of(
                RemoteLayout.blocks(a, 7, 16 << 10, indices),
                RemoteLayout.strided(b, 1, 2, 3, 4, 50, 6),
                list.build(),
                RemoteLayout.blocks(a, 0, 5),
                RemoteLayout.list().build());
        for (int n = 0; n < all.size(); n++) {
            here.layout(n, all.get(n));
            carry(n + 1);
            assertThat(heard.said.get(n)).startsWith("layout " + n + " ");
            assertThat(heard.layouts.get(n).pieces()).isEqualTo(all.get(n).pieces());
            assertThat(heard.layouts.get(n).regions()).isEqualTo(all.get(n).regions());
        }
    }

    private void refuses(byte[] bytes, String message) throws IOException {
        Sockets.send(sockets.client(), bytes);
        awaitReadable();
        assertThatThrownBy(() -> {
                    while (true) {
                        there.read(heard, 1);
                    }
                })
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(message);
        assertThat(heard.said).isEmpty();
    }

    @Test
    void bytesThatAreNoFrameAreNamed() throws IOException {
        refuses(
                "GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                "no Sluice frame (it starts with 47455420)");
    }

    @Test
    void anotherVersionNamesBoth() throws IOException {
        refuses(
                Sockets.frame(FrameType.MAGIC, 1, FrameType.PING.code, 0, 0, new byte[0]),
                "version 1, this side speaks version 2");
    }

    @Test
    void anUnknownTypeIsRefused() throws IOException {
        refuses(Sockets.frame(FrameType.MAGIC, FrameType.VERSION, 200, 0, 0, new byte[0]), "unknown type 200");
    }

    @Test
    void reservedBitsMustBeZero() throws IOException {
        refuses(
                Sockets.frame(FrameType.MAGIC, FrameType.VERSION, FrameType.PING.code, 1, 0, new byte[0]),
                "unknown type");
    }

    @Test
    void aRecordCutInHalfIsRefused() throws IOException {
        refuses(Sockets.frame(FrameType.GRANT, new byte[25]), "not a multiple of 24");
    }

    @Test
    void anUnknownReasonIsRefused() throws IOException {
        byte[] payload = new byte[24];
        payload[8] = 99;
        refuses(Sockets.frame(FrameType.REFUSED, payload), "unknown reason 99");
    }

    @ParameterizedTest
    @EnumSource(FrameType.class)
    void lengthsOutsideTheCapsAreRefusedBeforeAnythingIsRead(FrameType type) throws IOException {
        refuses(
                Sockets.frame(FrameType.MAGIC, FrameType.VERSION, type.code, 0, type.most + 1, new byte[0]),
                "a " + type + " frame of " + (type.most + 1) + " bytes, allowed are " + type.least + " to "
                        + type.most);
    }

    @ParameterizedTest
    @EnumSource(
            value = FrameType.class,
            names = {"HELLO", "PROOF", "OFFER", "ANSWER", "HANDLES", "READY", "REFUSE"})
    void whatMakesALinkIsRefusedOnOneThatIsMade(FrameType type) throws IOException {
        refuses(Sockets.frame(type, new byte[type.least]), "on a link that is made already");
    }

    @Test
    void aPeerThatReadsNothingIsLostBeforeItCostsMuchMemory() {
        byte[] note = new byte[64 << 10];
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 1000; i++) {
                        here.note(note);
                        here.flush(1);
                    }
                })
                .isInstanceOf(PeerLostException.class)
                .hasMessageContaining("does not read its control connection");
    }

    @Test
    void aHeartbeatIsSaidWhereNothingElseWas() throws IOException {
        here.landed(1);
        here.flush(100);
        here.beat(150, 100); // what was said does for it
        here.beat(300, 100);
        here.landed(2);
        carry(3);
        assertThat(heard.said).containsExactly("landed 1", "ping", "landed 2");
    }

    @Test
    void aHeartbeatNeverGoesIntoAFrame() throws IOException {
        byte[] note = new byte[60_000];
        int notes = 0;
        for (long now = 1; !here.hasUnsent() || notes < 3; now++) {
            here.note(note); // until the socket is full, within a frame
            notes++;
            here.flush(now);
        }
        for (long now = 1000; heard.said.size() < notes + 1; now += 1000) {
            here.beat(now, 0);
            here.flush(now);
            there.read(heard, now);
        }
        assertThat(heard.said).filteredOn(x -> x.equals("note 60000")).hasSize(notes);
        assertThat(heard.said).allMatch(x -> x.equals("note 60000") || x.equals("ping"));
    }

    @Test
    void aPeerThatAsksWithoutReadingGetsOneAnswer() throws IOException {
        for (int i = 0; i < 100_000; i++) {
            here.pong();
        }
        here.landed(1);
        carry(1);
        for (int i = 0; i < 100_000; i++) {
            here.pong();
        }
        here.flush(2);
        assertThat(here.hasUnsent()).isFalse();
    }
}
