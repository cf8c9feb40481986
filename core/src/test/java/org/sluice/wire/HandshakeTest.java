package org.sluice.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.sluice.LinkException;
import org.sluice.ProtocolException;

class HandshakeTest {
    private static final SharedSecret SECRET = secret("correct horse");
    private static final byte[] PURPOSE = {1};

    private static SharedSecret secret(String text) {
        return new SharedSecret(text.getBytes(StandardCharsets.UTF_8));
    }

    private interface Part {
        @Nullable LinkKey play() throws IOException;
    }

    private static CompletableFuture<@Nullable LinkKey> aside(Part part) {
        CompletableFuture<@Nullable LinkKey> result = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                result.complete(part.play());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private static Throwable failure(CompletableFuture<?> of) throws Exception {
        try {
            of.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            return e.getCause();
        }
        throw new AssertionError("it went well");
    }

    @Test
    void bothProveTheSecretAndHaveTheSameKey() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server =
                    aside(() -> Handshake.asServer(s.serverFrames(), SECRET).key());
            LinkKey client = Handshake.asClient(s.clientFrames(), SECRET).key();
            assertThat(client.derive(PURPOSE))
                    .isEqualTo(server.get().derive(PURPOSE))
                    .hasSize(32);
            assertThat(client.derive(new byte[] {2})).isNotEqualTo(client.derive(PURPOSE));
        }
    }

    @Test
    void anotherHandshakeGivesAnotherKey() throws Exception {
        byte[][] keys = new byte[2][];
        for (int i = 0; i < 2; i++) {
            try (Sockets s = Sockets.pair()) {
                var server =
                        aside(() -> Handshake.asServer(s.serverFrames(), SECRET).key());
                keys[i] = Handshake.asClient(s.clientFrames(), SECRET).key().derive(PURPOSE);
                server.get();
            }
        }
        assertThat(keys[0]).isNotEqualTo(keys[1]);
    }

    @Test
    void withoutASecretThereIsNoProofAndNoKey() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server = aside(() -> Handshake.asServer(s.serverFrames(), null).key());
            assertThat(Handshake.asClient(s.clientFrames(), null).key()).isNull();
            assertThat(server.get()).isNull();
        }
    }

    @Test
    void anotherSecretIsRefusedOnBothSides() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server =
                    aside(() -> Handshake.asServer(s.serverFrames(), SECRET).key());
            assertThatThrownBy(() -> Handshake.asClient(s.clientFrames(), secret("wrong horse")))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("secrets differ");
            assertThat(failure(server)).isInstanceOf(LinkException.class).hasMessageContaining("another shared secret");
        }
    }

    @Test
    void aMissingSecretIsSaidOnBothSides() throws Exception {
        for (boolean serverHasIt : new boolean[] {true, false}) {
            try (Sockets s = Sockets.pair()) {
                var server = aside(() -> Handshake.asServer(s.serverFrames(), serverHasIt ? SECRET : null)
                        .key());
                assertThatThrownBy(() -> Handshake.asClient(s.clientFrames(), serverHasIt ? null : SECRET)
                                .key())
                        .isInstanceOf(LinkException.class)
                        .hasMessageContaining("has a shared secret and")
                        .hasMessageContaining("SLUICE_SECRET");
                assertThat(failure(server)).isInstanceOf(LinkException.class).hasMessageContaining("has none");
            }
        }
    }

    @Test
    void aReplayedHandshakeFails() throws Exception {
        byte[] hello;
        byte[] proof;
        try (Sockets s = Sockets.pair()) {
            var server =
                    aside(() -> Handshake.asServer(s.serverFrames(), SECRET).key());
            FrameSocket client = s.clientFrames();
            Handshake.asClient(client, SECRET).key();
            proof = client.lastWritten();
            server.get();
            hello = null;
        }
        // record a whole handshake at the server's side, then play the client's part of it again
        try (Sockets s = Sockets.pair()) {
            var client =
                    aside(() -> Handshake.asClient(s.clientFrames(), SECRET).key());
            FrameSocket server = s.serverFrames();
            server.read(FrameType.HELLO);
            hello = server.lastRead();
            s.client().close();
            s.server().shutdownOutput();
            failure(client);
        }
        try (Sockets s = Sockets.pair()) {
            var server =
                    aside(() -> Handshake.asServer(s.serverFrames(), SECRET).key());
            Sockets.send(s.client(), hello);
            Sockets.send(s.client(), proof);
            assertThat(failure(server)).isInstanceOf(LinkException.class).hasMessageContaining("another shared secret");
        }
    }

    @Test
    void aReflectedHelloIsNoServer() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var client =
                    aside(() -> Handshake.asClient(s.clientFrames(), SECRET).key());
            FrameSocket mirror = s.serverFrames();
            mirror.read(FrameType.HELLO);
            Sockets.send(s.server(), mirror.lastRead());
            assertThat(failure(client)).isInstanceOf(ProtocolException.class).hasMessageContaining("is a client too");
        }
    }

    @Test
    void aReflectedProofIsNotTheServers() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var client =
                    aside(() -> Handshake.asClient(s.clientFrames(), SECRET).key());
            FrameSocket mirror = s.serverFrames();
            byte[] hello = mirror.read(FrameType.HELLO);
            hello[0] = 0; // everything as the client said it, but "I am a server"
            mirror.write(FrameType.HELLO, hello);
            mirror.write(FrameType.PROOF, mirror.read(FrameType.PROOF));
            assertThat(failure(client)).isInstanceOf(LinkException.class).hasMessageContaining("another shared secret");
        }
    }

    @Test
    void aServerThatCallsAServerIsToldSo() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server = aside(() -> Handshake.asServer(s.serverFrames(), null).key());
            byte[] hello = new Hello(false, false, new byte[32], new LinkKey.Half().publicKey()).encode();
            Sockets.send(s.client(), Sockets.frame(FrameType.HELLO, hello));
            assertThat(failure(server)).isInstanceOf(ProtocolException.class).hasMessageContaining("is a server too");
        }
    }

    @Test
    void anotherProtocolVersionIsSaid() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server = aside(() -> Handshake.asServer(s.serverFrames(), null).key());
            Sockets.send(s.client(), Sockets.frame(FrameType.MAGIC, 9, FrameType.HELLO.code, 0, 72, new byte[72]));
            assertThat(failure(server)).isInstanceOf(ProtocolException.class).hasMessageContaining("version 9");
        }
    }

    @Test
    void aKeyOfSmallOrderIsRefused() throws Exception {
        // with an all-zero key whoever is in between would know the exchange's result
        try (Sockets s = Sockets.pair()) {
            var server =
                    aside(() -> Handshake.asServer(s.serverFrames(), SECRET).key());
            FrameSocket client = s.clientFrames();
            client.write(FrameType.HELLO, new Hello(true, true, new byte[32], new byte[32]).encode());
            byte[] mine = client.lastWritten();
            client.read(FrameType.HELLO);
            client.write(FrameType.PROOF, SECRET.proof(true, mine, client.lastRead()));
            assertThat(failure(server)).isInstanceOf(ProtocolException.class).hasMessageContaining("public key");
        }
    }

    @Test
    void aShortHelloEndsTheConversation() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server = aside(() -> Handshake.asServer(s.serverFrames(), null).key());
            Sockets.send(s.client(), Arrays.copyOf(Sockets.frame(FrameType.HELLO, new byte[72]), 40));
            s.client().close();
            assertThat(failure(server)).isInstanceOf(java.io.EOFException.class);
        }
    }

    @Test
    void aClientOfVersion1ReadsWhyItIsRefusedInItsOwnVersion() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var server = aside(() -> {
                FrameSocket frames = s.serverFrames();
                try {
                    return Handshake.asServer(frames, null).key();
                } catch (ProtocolException e) {
                    frames.refuse(e.getMessage());
                    throw e;
                }
            });
            Sockets.send(s.client(), Sockets.frame(FrameType.MAGIC, 1, FrameType.HELLO.code, 0, 72, new byte[72]));
            ByteBuffer head = ByteBuffer.wrap(s.clientFrames().readFully(FrameType.HEADER_BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
            assertThat(head.get(4)).as("version").isEqualTo((byte) 1);
            assertThat(head.get(5)).as("type").isEqualTo((byte) FrameType.REFUSE.code);
            String why = new String(s.clientFrames().readFully(head.getInt(8)), StandardCharsets.UTF_8);
            assertThat(why).contains("version 1").contains("version 2");
            assertThat(failure(server)).isInstanceOf(ProtocolException.class).hasMessage(why);
        }
    }

    @Test
    void aServerOfVersion1IsHeardWhenItRefuses() throws Exception {
        try (Sockets s = Sockets.pair()) {
            var client = aside(() -> Handshake.asClient(s.clientFrames(), null).key());
            byte[] why =
                    "the peer speaks protocol version 2, this side speaks version 1".getBytes(StandardCharsets.UTF_8);
            Sockets.send(s.server(), Sockets.frame(FrameType.MAGIC, 1, FrameType.REFUSE.code, 0, why.length, why));
            assertThat(failure(client)).isInstanceOf(LinkException.class).hasMessageContaining("speaks version 1");
        }
    }
}
