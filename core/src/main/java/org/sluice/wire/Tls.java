package org.sluice.wire;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Where;

/**
 * TLS 1.3 for control connections, with the JDK's own: both ends show a certificate and prove that its key is theirs, and the same
 * file says who is trusted.
 */
public final class Tls {
    private static final String[] VERSIONS = {"TLSv1.3"};
    private static final char[] NO_PASSWORD = {};

    private final SSLContext context;

    private Tls(SSLContext context) {
        this.context = context;
    }

    /** @throws ConfigException naming the file and what is wrong with it */
    public static Tls of(Path file) {
        Identity identity = Identity.read(file);
        try {
            KeyStore mine = KeyStore.getInstance("PKCS12");
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            mine.load(null, NO_PASSWORD);
            trusted.load(null, NO_PASSWORD);
            mine.setKeyEntry(
                    "key", identity.key(), NO_PASSWORD, identity.chain().toArray(X509Certificate[]::new));
            List<X509Certificate> anchors = identity.trusted();
            for (int i = 0; i < anchors.size(); i++) {
                trusted.setCertificateEntry("trusted" + i, anchors.get(i));
            }
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(mine, NO_PASSWORD);
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            return new Tls(context);
        } catch (GeneralSecurityException | IOException e) {
            throw new ConfigException("the TLS file " + file + " cannot be used: " + e.getMessage(), e);
        }
    }

    private SSLEngine engine(boolean client) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(client);
        engine.setEnabledProtocols(VERSIONS);
        engine.setNeedClientAuth(true);
        return engine;
    }

    /** Makes TLS of a connection that this side opened. @throws LinkException when the peer is not who it should be */
    public ControlStream connect(SocketChannel socket, Deadline deadline) throws IOException {
        return shake(new TlsStream(socket, engine(true)), deadline);
    }

    /** As {@link #connect}, for a connection that came. A client that speaks no TLS is told so in the clear. */
    public ControlStream accept(SocketChannel socket, Deadline deadline) throws IOException {
        TlsStream stream = new TlsStream(socket, engine(false));
        if (stream.peek(deadline) == Integer.reverseBytes(FrameType.MAGIC)) {
            String why = "this server speaks TLS on its control connections; give the client --tls too";
            new FrameSocket(new PlainStream(socket), deadline).refuse(why);
            throw new LinkException("a client without TLS");
        }
        return shake(stream, deadline);
    }

    private static ControlStream shake(TlsStream stream, Deadline deadline) throws IOException {
        String peer = FrameSocket.peer(stream.socket());
        try {
            stream.handshake(deadline);
            return stream;
        } catch (SocketTimeoutException e) {
            throw new LinkException(
                    ErrorCode.UNREACHABLE,
                    Where.NOWHERE.phase(Where.Phase.BOOTSTRAP).peer(peer),
                    "the peer was silent in the TLS handshake until the deadline of " + deadline.text(),
                    e);
        } catch (IOException e) {
            throw failure(peer, e);
        }
    }

    /** What went wrong, in words that say what to do. */
    public static LinkException failure(String peer, IOException e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String why = root.getMessage() == null ? root.toString() : root.getMessage();
        return new LinkException(
                ErrorCode.AUTHENTICATION,
                Where.NOWHERE.phase(Where.Phase.BOOTSTRAP).peer(peer),
                "TLS with the peer failed: " + why
                        + "; do both sides have --tls, with certificates that are valid and that the other trusts?",
                e);
    }
}
