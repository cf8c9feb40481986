package org.sluice.tcp.survive;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** PEM files as operators make them, with the JDK's {@code keytool} in a folder of the test's. */
final class Certificates {
    private static final String PASSWORD = "changeit";

    private final Path folder;

    Certificates(Path folder) {
        this.folder = folder;
    }

    /** A key and its self-signed certificate, valid for a day from {@code start} as keytool writes it: {@code -5d}. */
    Path selfSigned(String name, String start) throws Exception {
        generate(name, start);
        return write(name, certificate(name));
    }

    /** A key and its certificate, signed by an authority whose certificate follows. */
    Path signed(String name, String authority) throws Exception {
        generate(authority, "-1H", "-ext", "bc:critical=ca:true");
        generate(name, "-1H");
        Path request = folder.resolve(name + ".csr");
        Path certificate = folder.resolve(name + ".crt");
        keytool(name, "-certreq", "-alias", name, "-file", request.toString());
        keytool(
                authority,
                "-gencert",
                "-rfc",
                "-alias",
                authority,
                "-infile",
                request.toString(),
                "-outfile",
                certificate.toString());
        return write(name, Files.readString(certificate) + certificate(authority));
    }

    /** A TLS endpoint of the JDK's own that has a key made here and trusts whoever has the same. */
    SSLContext context(String name) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(load(name), PASSWORD.toCharArray());
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(load(name));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private Path store(String name) {
        return folder.resolve(name + ".p12");
    }

    private void generate(String name, String start, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "-genkeypair",
                "-alias",
                name,
                "-dname",
                "CN=" + name,
                "-keyalg",
                "EC",
                "-startdate",
                start,
                "-validity",
                "1"));
        arguments.addAll(List.of(more));
        keytool(name, arguments.toArray(String[]::new));
    }

    private void keytool(String store, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store(store).toString(), "-storepass", PASSWORD));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
            throw new IOException(command + ": " + said);
        }
    }

    private KeyStore load(String name) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store(name))) {
            store.load(in, PASSWORD.toCharArray());
        }
        return store;
    }

    private String certificate(String name) throws Exception {
        return block("CERTIFICATE", load(name).getCertificate(name).getEncoded());
    }

    private Path write(String name, String certificates) throws Exception {
        Key key = load(name).getKey(name, PASSWORD.toCharArray());
        return Files.writeString(folder.resolve(name + ".pem"), block("PRIVATE KEY", key.getEncoded()) + certificates);
    }

    private static String block(String type, byte[] der) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n";
    }
}
