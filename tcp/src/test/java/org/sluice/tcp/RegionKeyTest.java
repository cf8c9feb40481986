package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteRegion;
import org.sluice.testkit.FreePorts;

/** Regions under keys that their owners drew. */
final class RegionKeyTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final RemoteRegion KEY = new RemoteRegion(0x0123456789abcdefL, 42, 4096);

    @Test
    @DisplayName(
            "a peer writes under the owner's key, not once it is withdrawn, and again where the owner presents it anew")
    void keysAreTheOwners() {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1"))
                .portBase(FreePorts.block(1))
                .deadline(Duration.ofSeconds(10))
                .build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            server.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
            Link out = client.connect(0, "127.0.0.1");
            accepted.join();
            Region memory = server.allocate(0, 8192);
            Region first = server.adopt(0, memory.address(), KEY);
            assertThat(first.remoteKey()).isEqualTo(KEY);
            assertThatThrownBy(() -> server.adopt(0, memory.address() + 4096, KEY))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another region has this key");

            Region from = client.allocate(0, 4096);
            from.fill(0, 4096, 5);
            out.write(from, 0, 4096, KEY, 0).await(LIMIT);
            assertThat(memory.mismatch(0, 4096, 5)).isEqualTo(-1);

            first.withdraw();
            assertThatThrownBy(() -> out.write(from, 0, 4096, KEY, 0).await(LIMIT))
                    .isInstanceOf(RemoteAccessException.class);

            Region second = server.adopt(0, memory.address() + 4096, KEY);
            first.close();
            out.write(from, 0, 4096, KEY, 0).await(LIMIT);
            assertThat(second.mismatch(0, 4096, 5)).isEqualTo(-1);
        }
    }
}
