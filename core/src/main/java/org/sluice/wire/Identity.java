package org.sluice.wire;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sluice.ConfigException;

/**
 * What a PEM file says of this node and of those it trusts: a private key in PKCS #8, then certificates, this node's own first,
 * then those that lead to its authority.
 *
 * @param key this node's
 * @param chain its own certificate and those that vouch for it
 * @param trusted who may vouch for a peer: the self-signed ones; a node's own may be one, and then is the only peer it knows
 */
public record Identity(PrivateKey key, List<X509Certificate> chain, List<X509Certificate> trusted) {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

    /** The kinds of keys that TLS 1.3 signs with. */
    private static final List<String> ALGORITHMS = List.of("EC", "RSA", "EdDSA", "RSASSA-PSS");

    public Identity {
        chain = List.copyOf(chain);
        trusted = List.copyOf(trusted);
    }

    /** @throws ConfigException naming the file and what is missing in it */
    public static Identity read(Path file) {
        PrivateKey key = null;
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            Matcher block = BLOCK.matcher(Files.readString(file, StandardCharsets.US_ASCII));
            while (block.find()) {
                byte[] der = Base64.getMimeDecoder().decode(block.group(2));
                switch (block.group(1)) {
                    case "PRIVATE KEY" -> key = key(der);
                    case "CERTIFICATE" -> certificates.add(certificate(der));
                    default ->
                        throw new ConfigException("the TLS file " + file + " has a block of " + block.group(1)
                                + "; it may have PRIVATE KEY (PKCS #8, without a password) and CERTIFICATE");
                }
            }
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new ConfigException("the TLS file " + file + " cannot be read: " + e, e);
        }
        List<X509Certificate> trusted =
                certificates.stream().filter(Identity::isSelfSigned).toList();
        if (key == null || trusted.isEmpty()) {
            throw new ConfigException(
                    "the TLS file " + file + " has no "
                            + (key == null ? "private key" : "self-signed certificate to trust")
                            + "; it needs a PRIVATE KEY, its CERTIFICATE, and the CERTIFICATE of the authority that vouches for peers");
        }
        return new Identity(key, chain(certificates), trusted);
    }

    /** The first certificate, the one that vouches for it, and so on. */
    private static List<X509Certificate> chain(List<X509Certificate> all) {
        List<X509Certificate> chain = new ArrayList<>(List.of(all.getFirst()));
        while (!isSelfSigned(chain.getLast()) && chain.size() < all.size()) {
            X509Certificate last = chain.getLast();
            all.stream()
                    .filter(c -> c.getSubjectX500Principal().equals(last.getIssuerX500Principal()))
                    .findFirst()
                    .ifPresent(chain::add);
            if (chain.getLast().equals(last)) {
                break;
            }
        }
        return chain;
    }

    private static boolean isSelfSigned(X509Certificate c) {
        return c.getIssuerX500Principal().equals(c.getSubjectX500Principal());
    }

    private static X509Certificate certificate(byte[] der) throws GeneralSecurityException {
        Certificate c = CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        return (X509Certificate) c;
    }

    private static PrivateKey key(byte[] der) throws GeneralSecurityException {
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (InvalidKeySpecException e) {
                // a key of another kind
            }
        }
        throw new InvalidKeySpecException("its private key is of none of the kinds " + String.join(", ", ALGORITHMS));
    }
}
