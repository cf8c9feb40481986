package org.sluice.wire;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.ProtocolException;

/**
 * The first words of a connection: hello both ways and, with a shared secret, proof both ways, the client's first. Only then is
 * anything else said.
 */
public final class Handshake {
    private static final SecureRandom RANDOM = new SecureRandom();

    private Handshake() {}

    /** @throws LinkException when the peer does not prove the secret that this side has, or asks for one that it has not */
    public static Introduction asClient(FrameSocket socket, @Nullable SharedSecret secret) throws IOException {
        LinkKey.Half half = new LinkKey.Half();
        socket.write(FrameType.HELLO, hello(true, secret, half));
        byte[] mine = socket.lastWritten();
        Hello server = Hello.decode(socket.read(FrameType.HELLO));
        byte[] theirs = bound(socket.lastRead(), socket);
        check(server, false, secret, socket);
        if (secret != null) {
            socket.write(FrameType.PROOF, secret.proof(true, mine, theirs));
            byte[] proof = socket.read(FrameType.PROOF);
            if (!secret.accepts(proof, false, mine, theirs)) {
                throw wrongSecret(socket);
            }
        }
        LinkKey key = secret == null ? null : secret.key(half, server.publicKey(), mine, theirs);
        return Introduction.of(key, mine, theirs);
    }

    /** As {@link #asClient}, from the other side. */
    public static Introduction asServer(FrameSocket socket, @Nullable SharedSecret secret) throws IOException {
        Hello client = Hello.decode(socket.read(FrameType.HELLO));
        byte[] theirs = socket.lastRead();
        LinkKey.Half half = new LinkKey.Half();
        if (client.secret() != (secret != null)) {
            // the server's hello goes out all the same, so that the client can say what is wrong
            socket.write(FrameType.HELLO, hello(false, secret, half));
        }
        check(client, true, secret, socket);
        socket.write(FrameType.HELLO, hello(false, secret, half));
        byte[] mine = bound(socket.lastWritten(), socket);
        if (secret != null) {
            byte[] proof = socket.read(FrameType.PROOF);
            if (!secret.accepts(proof, true, theirs, mine)) {
                socket.refuse("authentication failed: the shared secrets differ");
                throw wrongSecret(socket);
            }
            socket.write(FrameType.PROOF, secret.proof(false, theirs, mine));
        }
        LinkKey key = secret == null ? null : secret.key(half, client.publicKey(), theirs, mine);
        return Introduction.of(key, theirs, mine);
    }

    /**
     * The server's hello, which ends the transcript, and what only the two ends of this TLS connection know: a proof that somebody
     * between two connections passes on is worth nothing in the other.
     */
    private static byte[] bound(byte[] serverHello, FrameSocket socket) {
        byte[] binding = socket.stream().binding();
        byte[] bound = Arrays.copyOf(serverHello, serverHello.length + binding.length);
        System.arraycopy(binding, 0, bound, serverHello.length, binding.length);
        return bound;
    }

    private static byte[] hello(boolean client, @Nullable SharedSecret secret, LinkKey.Half half) {
        byte[] nonce = new byte[Hello.NONCE_BYTES];
        RANDOM.nextBytes(nonce);
        return new Hello(client, secret != null, nonce, half.publicKey()).encode();
    }

    private static void check(Hello other, boolean client, @Nullable SharedSecret secret, FrameSocket socket) {
        if (other.client() != client) {
            throw new ProtocolException(
                    socket.where(),
                    "the peer says it is a " + (other.client() ? "client" : "server")
                            + " too; start one side as server and the other as client");
        }
        if (other.secret() != (secret != null)) {
            throw new LinkException(
                    ErrorCode.AUTHENTICATION,
                    socket.where(),
                    "authentication failed: " + (secret != null ? "this side" : "the peer")
                            + " has a shared secret and " + (secret != null ? "the peer" : "this side")
                            + " has none; set the same SLUICE_SECRET or --secret-file on both");
        }
    }

    private static LinkException wrongSecret(FrameSocket socket) {
        return new LinkException(
                ErrorCode.AUTHENTICATION,
                socket.where(),
                "authentication failed: the peer has another shared secret; set the same SLUICE_SECRET or --secret-file on both");
    }
}
