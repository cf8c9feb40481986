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
            new RemoteNic("eth1", List.of("10.1.0.1/24", "fd00::1/64"), true), new RemoteNic("lo", List.of(), false));
    private static final Offer OFFER =
            new Offer(3, 0, 8, true, false, 16, 512 << 10, "tcp", NICS, new byte[] {1, 2, 3});
    private static final Answer ANSWER = new Answer(
            7, 12, List.of(new Rail(0, 1, 0, 0), new Rail(1, 0, 0, 0)), NICS, List.of(new byte[] {9}, new byte[128]));

    @Test
    void anOfferArrivesAsItWasMade() {
        Offer read = Offer.decode(OFFER.encode());
        assertThat(read).usingRecursiveComparison().isEqualTo(OFFER);
    }

    @Test
    void anAnswerArrivesAsItWasMade() {
        Answer read = Answer.decode(ANSWER.encode(), NICS);
        assertThat(read).usingRecursiveComparison().isEqualTo(ANSWER);
    }

    @Test
    void anAnswerMayNotNameANicThatTheClientHasNot() {
        assertThatThrownBy(() -> Answer.decode(ANSWER.encode(), NICS.subList(0, 1)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("client NIC 1, allowed are 0 to 0");
    }

    @Test
    void whatEndsEarlyOrLateIsRefusedAtEveryLength() {
        byte[] offer = OFFER.encode();
        byte[] answer = ANSWER.encode();
        for (int n = 0; n < offer.length; n++) {
            byte[] cut = Arrays.copyOf(offer, n);
            assertThatThrownBy(() -> Offer.decode(cut)).isInstanceOf(ProtocolException.class);
        }
        for (int n = 0; n < answer.length; n++) {
            byte[] cut = Arrays.copyOf(answer, n);
            assertThatThrownBy(() -> Answer.decode(cut, NICS)).isInstanceOf(ProtocolException.class);
        }
        assertThatThrownBy(() -> Offer.decode(Arrays.copyOf(offer, offer.length + 1)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("1 bytes too many");
    }

    @Test
    void numbersOutOfRangeAreNamed() {
        Offer tooMany = new Offer(0, 0, 65, false, false, 16, 4096, "tcp", NICS, new byte[0]);
        assertThatThrownBy(() -> Offer.decode(tooMany.encode())).hasMessageContaining("channel count 65");
        Offer noChunk = new Offer(0, 0, 1, false, false, 16, 0, "tcp", NICS, new byte[0]);
        assertThatThrownBy(() -> Offer.decode(noChunk.encode())).hasMessageContaining("chunk size 0");
        Offer negative = new Offer(0, 0, 1, false, false, 16, -1, "tcp", NICS, new byte[0]);
        assertThatThrownBy(() -> Offer.decode(negative.encode())).isInstanceOf(ProtocolException.class);
        Offer longLong = new Offer(0, 0, 1, false, false, 16, (1L << 32) + 4096, "tcp", NICS, new byte[0]);
        assertThatThrownBy(() -> Offer.decode(longLong.encode())).isInstanceOf(ProtocolException.class);
        Offer noNics = new Offer(0, 0, 1, false, false, 16, 4096, "tcp", List.of(), new byte[0]);
        assertThatThrownBy(() -> Offer.decode(noNics.encode())).hasMessageContaining("NIC count 0");
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
