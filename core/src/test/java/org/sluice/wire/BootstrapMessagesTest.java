package org.sluice.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.sluice.ProtocolException;

class BootstrapMessagesTest {
    private static final List<RemoteNic> NICS = List.of(
            new RemoteNic("eth1", List.of("10.1.0.1/24", "fd00::1/64"), 10_000_000_000L, 0),
            new RemoteNic("lo", List.of(), 0, 1));
    private static final List<Rail> RAILS = List.of(new Rail(0, 1, 1, 0), new Rail(1, 0, 0, 1));
    private static final Offer OFFER =
            new Offer(3, 0, 8, true, false, 16, 512 << 10, 0b10, RAILS, 1, new byte[] {1, 2, 3});
    private static final Answer ANSWER = new Answer(7, 12, List.of(0, 1, 0), List.of(new byte[] {9}, new byte[128]));
    private static final NodeIdentity NODE =
            new NodeIdentity(1, -2, 3, "host1", "0.1", 8, "tcp", 40_000, new byte[16], NICS);

    private static Offer decode(byte[] offer) {
        return Offer.decode(offer, NICS, NICS);
    }

    @Test
    void anOfferArrivesAsItWasMade() {
        assertThat(decode(OFFER.encode())).usingRecursiveComparison().isEqualTo(OFFER);
    }

    @Test
    void anAnswerArrivesAsItWasMade() {
        Answer read = Answer.decode(ANSWER.encode(), 2);
        assertThat(read).usingRecursiveComparison().isEqualTo(ANSWER);
    }

    @Test
    void anIdentityArrivesAsItWasSaid() {
        assertThat(NodeIdentity.decode(NODE.encode()))
                .usingRecursiveComparison()
                .isEqualTo(NODE);
    }

    @Test
    void namesOfThePeerBreakNoLine() {
        NodeIdentity evil = new NodeIdentity(
                1,
                2,
                3,
                "a\nb",
                "\u001b[2J",
                1,
                "tcp\r",
                0,
                new byte[16],
                List.of(new RemoteNic("e\tth", List.of(), 0, 0)));
        NodeIdentity read = NodeIdentity.decode(evil.encode());
        assertThat(read.name()).isEqualTo("a?b");
        assertThat(read.version()).isEqualTo("?[2J");
        assertThat(read.nics().getFirst().name()).isEqualTo("e?th");
    }

    @Test
    void anAnswerMayNotNameARailThatWasNotOffered() {
        assertThatThrownBy(() -> Answer.decode(ANSWER.encode(), 1))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("rail 1, allowed are 0 to 0");
    }

    @Test
    void aRailMayNotNameWhatANodeHasNot() {
        assertThatThrownBy(() -> Offer.decode(OFFER.encode(), NICS, NICS.subList(0, 1)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("client NIC 1, allowed are 0 to 0");
        Offer address = new Offer(0, 0, 1, false, false, 16, 4096, 0, List.of(new Rail(0, 0, 0, 2)), 1, new byte[0]);
        assertThatThrownBy(() -> decode(address.encode()))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("address of a client NIC 2, allowed are 0 to 1");
    }

    @Test
    void whatEndsEarlyOrLateIsRefusedAtEveryLength() {
        byte[] offer = OFFER.encode();
        byte[] answer = ANSWER.encode();
        byte[] node = NODE.encode();
        for (int n = 0; n < offer.length; n++) {
            byte[] cut = Arrays.copyOf(offer, n);
            assertThatThrownBy(() -> decode(cut)).isInstanceOf(ProtocolException.class);
        }
        for (int n = 0; n < answer.length; n++) {
            byte[] cut = Arrays.copyOf(answer, n);
            assertThatThrownBy(() -> Answer.decode(cut, 2)).isInstanceOf(ProtocolException.class);
        }
        for (int n = 0; n < node.length; n++) {
            byte[] cut = Arrays.copyOf(node, n);
            assertThatThrownBy(() -> NodeIdentity.decode(cut)).isInstanceOf(ProtocolException.class);
        }
        assertThatThrownBy(() -> decode(Arrays.copyOf(offer, offer.length + 1)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("1 bytes too many");
    }

    private static Offer offer(int channels, long chunk, List<Rail> rails, int proven) {
        return new Offer(0, 0, channels, false, false, 16, chunk, 0, rails, proven, new byte[0]);
    }

    private static void refused(Offer offer, String why) {
        assertThatThrownBy(() -> decode(offer.encode()))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(why);
    }

    @Test
    void numbersOutOfRangeAreNamed() {
        refused(offer(65, 4096, RAILS, 1), "channel count 65");
        refused(offer(1, 0, RAILS, 1), "chunk size 0");
        refused(offer(1, -1, RAILS, 1), "chunk size");
        refused(offer(1, (1L << 32) + 4096, RAILS, 1), "chunk size");
        refused(offer(1, 4096, List.of(), 0), "rail count 0");
        refused(offer(1, 4096, RAILS, 0), "count of proven rails 0");
        refused(offer(1, 4096, RAILS, 3), "count of proven rails 3");
        byte[] nobody = new NodeIdentity(1, 2, 3, "h", "0", 8, "tcp", 0, new byte[16], List.of()).encode();
        assertThatThrownBy(() -> NodeIdentity.decode(nobody)).hasMessageContaining("NIC count 0");
    }

    @Test
    void handlesLongerThanTheContractAllowsAreRefused() {
        byte[] bytes = Answer.encodeHandles(List.of(new byte[129]));
        assertThatThrownBy(() -> Answer.decodeHandles(bytes)).hasMessageContaining("129 bytes, allowed are 128");
    }

    @Test
    void ucclsHandlesAreACountAndPaddedHandlesAndNothingElse() throws Exception {
        try (Sockets s = Sockets.pair()) {
            UcclBootstrap.send(s.server(), List.of(new byte[] {1, 2}, new byte[] {3}));
            s.server().shutdownOutput();
            byte[] wire = s.client().socket().getInputStream().readAllBytes();
            byte[] expected = new byte[4 + 2 * 128];
            expected[0] = 2;
            expected[4] = 1;
            expected[5] = 2;
            expected[132] = 3;
            assertThat(wire).isEqualTo(expected);
        }
    }

    @Test
    void ucclsHandlesAreRead() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var sent = CompletableFuture.runAsync(() -> {
                try {
                    UcclBootstrap.send(s.server(), Collections.nCopies(64, new byte[] {7}));
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            List<byte[]> handles = UcclBootstrap.receive(s.clientFrames());
            sent.get();
            assertThat(handles)
                    .hasSize(64)
                    .allSatisfy(h -> assertThat(h).hasSize(128).startsWith(7));
        }
    }

    @Test
    void anAbsurdCountIsRefusedBeforeAnythingIsAllocated() throws Exception {
        try (Sockets s = Sockets.pair()) {
            Sockets.send(s.server(), new byte[] {0, 0, 0, (byte) 0x80});
            FrameSocket client = s.clientFrames();
            assertThatThrownBy(() -> UcclBootstrap.receive(client))
                    .isInstanceOf(ProtocolException.class)
                    .hasMessageContaining("2147483648 channel handles, allowed are 1 to 64");
        }
    }
}
