package org.sluice.daemon;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sluice.NodeConfig;

/** Two daemons of this process, that reach each other over loopback rails. */
record DaemonPair(Daemon a, Daemon b) implements AutoCloseable {
    static final Quotas QUOTAS = Quotas.usual(8L << 30);

    static DaemonPair in(Path directory) {
        return in(directory, QUOTAS);
    }

    static DaemonPair in(Path directory, Quotas quotas) {
        Daemon a = Daemon.open(config(directory.resolve("a"), quotas));
        try {
            return new DaemonPair(a, Daemon.open(config(directory.resolve("b"), quotas)));
        } catch (RuntimeException e) {
            a.close();
            throw e;
        }
    }

    static DaemonConfig config(Path socket, Quotas quotas) {
        NodeConfig node = NodeConfig.builder()
                .backend("host")
                .gpus(2)
                .channels(4)
                .nics(List.of("lo1", "lo2"))
                .deadline(Duration.ofSeconds(20))
                .build();
        return new DaemonConfig(
                node,
                socket,
                OptionalInt.empty(),
                0600,
                Optional.empty(),
                Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                false,
                quotas,
                Duration.ofSeconds(60));
    }

    String addressOfB() {
        return "127.0.0.1:" + b.listens().orElseThrow().getPort();
    }

    @Override
    public void close() {
        a.close();
        b.close();
    }
}
