package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sluice.ConfigException;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.Hello;
import org.sluice.wire.LinkKey;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;
import org.sluice.wire.Sockets;

class BootstrapPortsTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final List<RemoteNic> NICS = List.of(new RemoteNic("m", List.of(), 0, 0));
    private static final NodeIdentity NODE =
            new NodeIdentity(1, 2, 3, "here", "0.1", 1, "memory", 0, new byte[16], NICS);
    private static final RailBook RAILS = new RailBook(NODE, null);
    private static final Reception.Settings SETTINGS =
            new Reception.Settings(null, null, RAILS, new Resumptions(), LIMIT);
    private static final Offer OFFER =
            new Offer(0, 0, 1, false, false, 16, 4096, 0, List.of(new Rail(0, 0, 0, 0)), 1, new byte[0]);

    private int port;
    private BootstrapPorts ports;

    @BeforeEach
    void open() throws IOException {
        while (ports == null) {
            try (ServerSocket probe = new ServerSocket(0)) {
                port = probe.getLocalPort();
            }
            try {
                ports = new BootstrapPorts(port, 1, SETTINGS, false);
            } catch (ConfigException e) {
                // somebody else took the port meanwhile: another
            }
        }
    }

    @AfterEach
    void close() {
        ports.close();
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    private FrameSocket offering() throws IOException {
        FrameSocket client = new FrameSocket(connect(), Deadline.in(LIMIT));
        Handshake.asClient(client, null);
        client.write(FrameType.IDENTITY, NODE.encode());
        client.read(FrameType.IDENTITY);
        client.write(FrameType.OFFER, OFFER.encode());
        return client;
    }

    private void servesAClient() throws Exception {
        try (FrameSocket client = offering()) {
            LinkRequest request = ports.await(0, LIMIT);
            assertThat(request).isNotNull();
            assertThat(request.offer()).usingRecursiveComparison().isEqualTo(OFFER);
            assertThat(client.stream().socket().isOpen()).isTrue();
            request.socket().close();
        }
    }

    @Test
    void aClientIsHeardBehindSilentAndTalkativeStrangers() throws Exception {
        List<SocketChannel> strangers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            strangers.add(connect());
        }
        Sockets.send(strangers.get(0), "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        Sockets.send(strangers.get(1), new byte[] {'S', 'L'});
        Sockets.send(strangers.get(2), Sockets.frame(FrameType.PING, new byte[0]));
        byte[] hello = new Hello(true, false, new byte[32], new LinkKey.Half().publicKey()).encode();
        Sockets.send(strangers.get(3), Sockets.frame(FrameType.HELLO, hello)); // half a handshake
        strangers.get(4).close();
        servesAClient();
        for (SocketChannel s : strangers) {
            s.close();
        }
    }

    @Test
    void aClientIsHeardThroughAThousandConnectionsAtOnce() throws Exception {
        List<SocketChannel> flood = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                flood.add(connect());
            }
            servesAClient();
        } finally {
            for (SocketChannel s : flood) {
                s.close();
            }
        }
    }

    @Test
    void garbageIsAnsweredWithAReason() throws Exception {
        try (FrameSocket stranger = new FrameSocket(connect(), Deadline.in(LIMIT))) {
            Sockets.send(
                    stranger.stream().socket(),
                    Sockets.frame(FrameType.MAGIC, 7, FrameType.HELLO.code, 0, 72, new byte[0]));
            assertThatThrownBy(() -> stranger.read(FrameType.HELLO))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("protocol version 7");
        }
    }

    @Test
    void whoComesForATakenGpuIsToldWhoHasIt() throws Exception {
        FrameSocket early = offering();
        // the first has said its words but nobody has taken it up yet when the GPU goes to another
        while (ports.waiting(0) == 0) {
            Thread.onSpinWait();
        }
        ports.take(0, "10.0.0.9:4711");
        FrameSocket late = offering();
        for (FrameSocket refused : List.of(early, late)) {
            assertThatThrownBy(() -> refused.read(FrameType.ANSWER))
                    .isInstanceOf(SluiceException.class)
                    .hasMessageContaining("GPU 0 of this server is taken by 10.0.0.9:4711");
            refused.close();
        }
        ports.release(0);
        servesAClient();
    }

    @Test
    void aTakenPortIsNamed() {
        assertThatThrownBy(() -> new BootstrapPorts(port, 1, SETTINGS, false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("bootstrap port " + port);
    }

    @Test
    void strangersOfOneSourceDriveOutOnlyEachOther() throws Exception {
        try (Strangers strangers = new Strangers()) {
            InetAddress flooder = InetAddress.ofLiteral("192.0.2.1");
            InetAddress other = InetAddress.ofLiteral("192.0.2.2");
            SocketChannel quiet = SocketChannel.open();
            strangers.add(quiet, other);
            List<SocketChannel> flood = new ArrayList<>();
            for (int i = 0; i < Strangers.MOST_PER_SOURCE + 10; i++) {
                SocketChannel s = SocketChannel.open();
                flood.add(s);
                strangers.add(s, flooder);
            }
            assertThat(strangers.size()).isEqualTo(Strangers.MOST_PER_SOURCE + 1);
            assertThat(quiet.isOpen()).isTrue();
            assertThat(flood.subList(0, 10)).noneMatch(SocketChannel::isOpen);
            assertThat(flood.subList(10, flood.size())).allMatch(SocketChannel::isOpen);
        }
    }

    @Test
    void whoHasSaidWhoItIsGivesWayLast() throws Exception {
        try (Strangers strangers = new Strangers()) {
            InetAddress source = InetAddress.ofLiteral("192.0.2.1");
            SocketChannel introduced = SocketChannel.open();
            strangers.add(introduced, source);
            strangers.introduced(introduced);
            List<SocketChannel> silent = new ArrayList<>();
            for (int i = 0; i < Strangers.MOST_PER_SOURCE; i++) {
                SocketChannel s = SocketChannel.open();
                silent.add(s);
                strangers.add(s, source);
            }
            assertThat(introduced.isOpen()).isTrue();
            assertThat(silent.getFirst().isOpen()).isFalse();
            silent.forEach(strangers::introduced);
            SocketChannel late = SocketChannel.open();
            strangers.add(late, source);
            assertThat(introduced.isOpen())
                    .as("the oldest of those who all have")
                    .isFalse();
            assertThat(late.isOpen()).isTrue();
        }
    }

    private static List<SocketChannel> takeAllPlaces(Strangers trying, InetAddress source) throws IOException {
        List<SocketChannel> all = new ArrayList<>();
        for (int i = 0; i < Strangers.MOST_PER_SOURCE; i++) {
            SocketChannel s = SocketChannel.open();
            all.add(s);
            assertThat(trying.await(s, source, Deadline.in(LIMIT))).isTrue();
        }
        return all;
    }

    @Test
    void placesAreGivenInTheOrderInWhichTheyWereAskedFor() throws Exception {
        try (Strangers trying = new Strangers()) {
            InetAddress source = InetAddress.ofLiteral("192.0.2.1");
            List<SocketChannel> all = takeAllPlaces(trying, source);
            List<Integer> placed = new CopyOnWriteArrayList<>();
            List<Thread> waiters = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int n = i;
                SocketChannel s = SocketChannel.open();
                all.add(s);
                Thread t = Thread.ofVirtual().start(() -> {
                    if (trying.await(s, source, Deadline.in(LIMIT))) {
                        placed.add(n);
                    }
                });
                waiters.add(t);
                while (trying.waiting() <= i) {
                    Thread.onSpinWait();
                }
            }
            InetAddress other = InetAddress.ofLiteral("192.0.2.2");
            SocketChannel elsewhere = SocketChannel.open();
            assertThat(trying.await(elsewhere, other, Deadline.in(LIMIT)))
                    .as("another source's place")
                    .isTrue();
            for (int i = 0; i < 3; i++) {
                trying.remove(all.get(i));
                assertThat(waiters.get(i).join(LIMIT)).isTrue();
            }
            assertThat(placed).containsExactly(0, 1, 2);
            all.subList(0, 3).forEach(s -> assertThat(s.isOpen()).isTrue());
            for (SocketChannel s : all.subList(0, 3)) {
                s.close();
            }
        }
    }

    @Test
    void whoTriesRailsGivesWayToNobody() throws Exception {
        try (Strangers trying = new Strangers()) {
            InetAddress source = InetAddress.ofLiteral("192.0.2.1");
            List<SocketChannel> all = takeAllPlaces(trying, source);
            SocketChannel late = SocketChannel.open();
            all.add(late);
            assertThat(trying.await(late, source, Deadline.in(Duration.ofMillis(1))))
                    .as("a place")
                    .isFalse();
            assertThat(all).allMatch(SocketChannel::isOpen);
            trying.remove(all.getFirst());
            assertThat(trying.await(late, source, Deadline.in(LIMIT))).isTrue();
            all.getFirst().close();
        }
    }
}
