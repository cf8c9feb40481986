package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.ConfigException;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.wire.Deadline;

/** A client that was started first finds its server, however late name, host and process come. */
@Timeout(60)
class ServerSearchTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final InetAddress HERE = InetAddress.ofLiteral("127.0.0.1");

    /** A network that no host has a way to without a route: the kernel says so at once. */
    private static final InetAddress NOWHERE = InetAddress.ofLiteral("255.255.255.255");

    private static ServerSearch search(int port, ServerSearch.Names names) {
        return new ServerSearch(Where.ofGpu(0), "server.example", port, names, () -> false);
    }

    @Test
    void everyAddressOfTheNameIsTried() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, HERE)) {
            ServerSearch search = search(
                    server.getLocalPort(), name -> new InetAddress[] {NOWHERE, InetAddress.ofLiteral("::1"), HERE});
            try (SocketChannel found = search.next(Deadline.in(LONG))) {
                assertThat(((InetSocketAddress) found.getRemoteAddress()).getAddress())
                        .isEqualTo(HERE);
            }
        }
    }

    @Test
    void aNameThatIsNotKnownYetIsAskedForAgain() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, HERE)) {
            AtomicInteger asked = new AtomicInteger();
            ServerSearch search = search(server.getLocalPort(), name -> {
                if (asked.incrementAndGet() < 3) {
                    throw new UnknownHostException(name);
                }
                return new InetAddress[] {HERE};
            });
            search.next(Deadline.in(LONG)).close();
            assertThat(asked).hasValue(3);
        }
    }

    @Test
    void aNameThatStaysUnknownIsSaid() {
        ServerSearch search = search(1, name -> {
            throw new UnknownHostException(name);
        });
        assertThatThrownBy(() -> search.next(Deadline.in(SHORT)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("server.example was not known within 300 ms");
    }

    @Test
    void theLastFailureIsNamedWithItsAddress() throws IOException {
        int free;
        try (ServerSocket probe = new ServerSocket(0, 1, HERE)) {
            free = probe.getLocalPort();
        }
        ServerSearch refused = search(free, name -> new InetAddress[] {HERE});
        assertThatThrownBy(() -> refused.next(Deadline.in(SHORT)))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("last tried: 127.0.0.1:" + free + ": Connection refused");
        ServerSearch unreachable = search(free, name -> new InetAddress[] {NOWHERE});
        assertThatThrownBy(() -> unreachable.next(Deadline.in(SHORT)))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("last tried: 255.255.255.255:" + free + ": ");
    }
}
