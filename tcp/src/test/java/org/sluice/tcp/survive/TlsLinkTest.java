package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.ConfigException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.testkit.FreePorts;

/** Links whose control connection goes through TLS, and sides that do not fit. */
class TlsLinkTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int BYTES = 1 << 20;
    private static final byte[] SECRET = "correct horse battery".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private static Path folder;

    /** A key and its self-signed certificate, which is trusted too. */
    private static final Path ONE = pem("one");

    private static final Path EXPIRED = pem("expired");

    /** A key, its certificate, and that of the authority that signed it. */
    private static final Path VOUCHED_FOR = pem("node");

    /** Made with openssl for a hundred years, but for {@code expired}, which was valid on the first of January 2020. */
    private static Path pem(String name) {
        try {
            return Path.of(TlsLinkTest.class.getResource(name + ".pem").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private interface Meeting {
        void of(Link in, Link out, Node server, Node client) throws Exception;
    }

    private static NodeConfig config(int port, UnaryOperator<NodeConfig.Builder> settings) {
        return settings.apply(NodeConfig.builder()
                        .backend("host")
                        .gpus(1)
                        .nics(List.of("lo1", "lo2"))
                        .portBase(port)
                        .deadline(Duration.ofSeconds(10))
                        .clientWait(Duration.ofSeconds(10)))
                .build();
    }

    /** On a thread of its own: where no client fits, it waits for the next one. */
    private static CompletableFuture<Link> accepted(Node server) {
        return CompletableFuture.supplyAsync(
                () -> server.accept(0),
                work -> Thread.ofPlatform().daemon().name("accept").start(work));
    }

    private static void meet(
            UnaryOperator<NodeConfig.Builder> serverSide, UnaryOperator<NodeConfig.Builder> clientSide, Meeting meeting)
            throws Exception {
        int port = FreePorts.block(1);
        try (Node server = Node.open(config(port, serverSide));
                Node client = Node.open(config(port, clientSide))) {
            server.bind();
            CompletableFuture<Link> accepted = accepted(server);
            Link out = client.connect(0, "127.0.0.1");
            meeting.of(accepted.get(), out, server, client);
        }
    }

    private static void carries(Link in, Link out, Node server, Node client) {
        Region from = client.allocate(0, BYTES);
        Region to = server.allocate(0, BYTES);
        for (int n = 0; n < 2; n++) {
            from.fill(0, BYTES, n);
            var receiving = in.receive(to, 0, BYTES);
            out.send(from, 0, BYTES).await(LIMIT);
            receiving.await(LIMIT);
            assertThat(to.mismatch(0, BYTES, n)).isEqualTo(-1);
        }
        out.close();
        assertThat(in.ended().join()).hasMessageContaining("the peer closed the link");
    }

    @Test
    void theSameFileOnBothSides() throws Exception {
        meet(c -> c.tls(ONE), c -> c.tls(ONE), TlsLinkTest::carries);
    }

    @Test
    void anAuthorityASecretAndEncryptedChannels() throws Exception {
        UnaryOperator<NodeConfig.Builder> sealed =
                c -> c.secret(SECRET).transportOptions(Map.of("encryption", "aes-gcm"));
        meet(c -> sealed.apply(c).tls(VOUCHED_FOR), c -> sealed.apply(c).tls(VOUCHED_FOR), TlsLinkTest::carries);
    }

    /** What the JDK makes of {@link #ONE} without any of Sluice. */
    private static SSLContext likeANode() throws Exception {
        String text = Files.readString(ONE);
        int end = text.indexOf("-----BEGIN CERTIFICATE");
        byte[] key = Base64.getMimeDecoder().decode(text.substring(0, end).replaceAll("-----[A-Z ]+-----", ""));
        Certificate certificate = CertificateFactory.getInstance("X.509")
                .generateCertificate(
                        new ByteArrayInputStream(text.substring(end).getBytes(StandardCharsets.US_ASCII)));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, new char[0]);
        store.setKeyEntry(
                "one",
                KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(key)),
                new char[0],
                new Certificate[] {certificate});
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        KeyStore known = KeyStore.getInstance("PKCS12");
        known.load(null, new char[0]);
        known.setCertificateEntry("one", certificate);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(known);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    /** Ends TLS with both sides, with a certificate that both trust, and passes on what they say. */
    private static int betweenThemAndPort(int port) throws Exception {
        SSLContext context = likeANode();
        ServerSocket here = context.getServerSocketFactory().createServerSocket(0);
        ((SSLServerSocket) here).setNeedClientAuth(true);
        Thread.ofPlatform().daemon().name("between").start(() -> {
            try (here;
                    Socket client = here.accept();
                    Socket server = context.getSocketFactory().createSocket("127.0.0.1", port)) {
                Thread back = Thread.ofPlatform().daemon().start(() -> pass(server, client));
                pass(client, server);
                back.join();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        return here.getLocalPort();
    }

    private static void pass(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException e) {
            // they part
        }
    }

    @Test
    void aProofThatIsPassedOnFromOneConnectionToAnotherIsWorthNothing() throws Exception {
        int port = FreePorts.block(1);
        UnaryOperator<NodeConfig.Builder> both = c -> c.tls(ONE).secret(SECRET);
        try (Node server = Node.open(config(port, both));
                Node client = Node.open(config(betweenThemAndPort(port), both))) {
            server.bind();
            assertThatThrownBy(() -> client.connect(0, "127.0.0.1"))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("authentication failed");
        }
    }

    private static void isRefused(
            UnaryOperator<NodeConfig.Builder> server, UnaryOperator<NodeConfig.Builder> client, String... says) {
        assertThatThrownBy(() -> meet(server, client, (in, out, s, c) -> {}))
                .isInstanceOf(LinkException.class)
                .message()
                .contains("127.0.0.1")
                .contains(says)
                .doesNotContain("\n");
    }

    @Test
    void aCertificateThatNobodyTrusts() {
        isRefused(c -> c.tls(ONE), c -> c.tls(VOUCHED_FOR), "TLS with the peer", "--tls");
        isRefused(c -> c.tls(VOUCHED_FOR), c -> c.tls(ONE), "TLS with the peer", "--tls");
    }

    @Test
    void aCertificateThatIsNotValidAnyMore() {
        isRefused(c -> c.tls(EXPIRED), c -> c.tls(EXPIRED), "TLS with the peer", "NotAfter");
    }

    @Test
    void aClientWithoutTls() {
        isRefused(c -> c.tls(ONE), c -> c, "this server speaks TLS", "--tls");
    }

    @Test
    void aServerWithoutTls() {
        isRefused(c -> c, c -> c.tls(ONE), "TLS with the peer", "--tls");
    }

    @Test
    void aServerThatIsSilent() throws Exception {
        try (ServerSocket silent = new ServerSocket(0);
                Node client =
                        Node.open(config(silent.getLocalPort(), c -> c.tls(ONE).deadline(Duration.ofMillis(300))))) {
            assertThatThrownBy(() -> client.connect(0, "127.0.0.1"))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("TLS handshake")
                    .hasMessageContaining("300 ms");
        }
    }

    @Test
    void aStrangerThatSaysNothingAndOneThatSaysRubbishCostNobodyElse() throws Exception {
        int port = FreePorts.block(1);
        try (Node server = Node.open(config(port, c -> c.tls(ONE)));
                Node client = Node.open(config(port, c -> c.tls(ONE)))) {
            server.bind();
            try (Socket silent = new Socket("127.0.0.1", port);
                    Socket rubbish = new Socket("127.0.0.1", port)) {
                rubbish.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                CompletableFuture<Link> accepted = accepted(server);
                Link out = client.connect(0, "127.0.0.1");
                carries(accepted.get(), out, server, client);
                assertThat(silent.isConnected()).isTrue();
            }
        }
    }

    @Test
    void aFileThatIsNone() throws Exception {
        Path text = Files.writeString(folder.resolve("text.pem"), "hello");
        Path certificate = Files.writeString(
                folder.resolve("half.pem"),
                Files.readString(ONE).replaceFirst("(?s)-----BEGIN PRIVATE.*?-----END[^\n]*", ""));
        for (Path file : List.of(text, certificate, folder.resolve("absent.pem"))) {
            assertThatThrownBy(() -> Node.open(config(1024, c -> c.tls(file))).close())
                    .isInstanceOf(ConfigException.class)
                    .isInstanceOf(SluiceException.class)
                    .hasMessageContaining(file.toString());
        }
    }
}
