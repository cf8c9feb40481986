package org.sluice.engine;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;
import org.sluice.Node;
import org.sluice.spi.RailProver;
import org.sluice.spi.Transport;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.RemoteNic;

/** Who a node of this process is. */
final class LocalIdentity {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** Another one with each start of the kernel. */
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

    /** Names the network namespace: containers of one host need not share a network. */
    private static final Path NETWORK = Path.of("/proc/self/ns/net");

    private LocalIdentity() {}

    static NodeIdentity of(Transport transport, String pulls, @Nullable RailProver prover, int gpus) {
        return new NodeIdentity(
                RANDOM.nextLong(),
                RANDOM.nextLong(),
                host(),
                name(),
                version(),
                gpus,
                transport.name(),
                pulls,
                prover == null ? 0 : prover.port(),
                new byte[RailProver.TOKEN_BYTES],
                transport.devices().stream().map(RemoteNic::of).toList());
    }

    private static long host() {
        try {
            String host = Files.readString(BOOT).strip() + Files.readSymbolicLink(NETWORK);
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(host.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (IOException | UnsupportedOperationException e) {
            return 0; // the addresses of a connection have to tell
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static String name() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return address();
        }
    }

    private static String address() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }

    private static String version() {
        return Node.class.getModule().getDescriptor() == null
                ? "unknown"
                : Node.class.getModule().getDescriptor().rawVersion().orElse("unknown");
    }
}
