package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.testkit.FreePorts;

/** A plugin's calls that do not come back, and attempts that nothing ends: the agent goes on, and nothing piles up. */
@Timeout(90)
class PluginHangTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private static Transport open(FakePlugin plugin) throws TransportException {
        return new NcclNetTransportProvider().open(plugin.transportConfig());
    }

    private static void move(NodeConfig config, long bytes) {
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = PluginLinkTest.links(server, client);
            Region from = client.allocate(0, bytes);
            Region to = server.allocate(0, bytes);
            from.fill(0, bytes, 9);
            Transfer in = links.get(1).receive(to, 0, bytes);
            Transfer out = links.get(0).send(from, 0, bytes);
            in.await(LIMIT);
            assertThat(to.mismatch(0, bytes, 9)).isEqualTo(-1);
            out.await(LIMIT);
        }
    }

    /** TCPX has a thread in a listener whose accept is under way: it cannot be closed, and another each time would pile up. */
    @Test
    void aListenerThatCannotBeClosedIsOfferedAgain() throws Exception {
        FakePlugin plugin = FakePlugin.tcpx();
        try (Transport transport = open(plugin);
                Gpu gpu = Loop.host()) {
            ChannelContext receiving = new ChannelContext(gpu, 0, () -> {});
            ChannelContext sending = new ChannelContext(gpu, 0, () -> {});
            Listener listener = transport.listen(0, receiving);
            byte[] handle = listener.handle();
            for (int attempt = 0; attempt < 20; attempt++) {
                assertThat(listener.accept()).isNull();
                listener.close();
                listener = transport.listen(0, receiving);
                assertThat(listener.handle()).isEqualTo(handle);
            }
            assertThat(plugin.listeners()).isEqualTo(1);
            try (Connector connector = transport.connect(0, handle, sending)) {
                @Nullable SendChannel sender = null;
                @Nullable ReceiveChannel receiver = null;
                while (sender == null || receiver == null) {
                    sender = sender == null ? connector.connect() : sender;
                    receiver = receiver == null ? listener.accept() : receiver;
                }
                sender.close();
                receiver.close();
            }
            listener.close();
            Listener other = transport.listen(1, receiving);
            assertThat(other.handle()).isNotEqualTo(handle);
            other.close();
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.listeners()).isZero();
    }

    @Test
    void aConnectThatNothingEndsIsGoneOnWith() throws Exception {
        FakePlugin plugin = FakePlugin.tcpx().set("CONNECT_CALLS", "30");
        try (Transport transport = open(plugin);
                Gpu gpu = Loop.host()) {
            ChannelContext sending = new ChannelContext(gpu, 0, () -> {});
            try (Listener listener = transport.listen(0, new ChannelContext(gpu, 0, () -> {}))) {
                @Nullable SendChannel sender = null;
                while (sender == null) {
                    try (Connector again = transport.connect(0, listener.handle(), sending)) {
                        sender = again.connect();
                    }
                    assertThat(plugin.connecting()).isLessThanOrEqualTo(1);
                }
                sender.close();
            }
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    /** FastSocket's. */
    @Test
    void anAcceptThatWaitsForItsPeerHoldsNobodyUp() throws Exception {
        FakePlugin plugin = FakePlugin.plain(8).set("ACCEPT", "blocks");
        try (Transport transport = open(plugin);
                Gpu gpu = Loop.host()) {
            ChannelContext receiving = new ChannelContext(gpu, 3, () -> {});
            Listener late = transport.listen(1, receiving);
            assertThat(late.accept()).isNull();
            Loop.over(transport).close();
            late.close();
            Listener again = transport.listen(1, receiving);
            assertThat(again.handle()).isEqualTo(late.handle());
            try (Connector connector = transport.connect(1, again.handle(), new ChannelContext(gpu, 3, () -> {}))) {
                @Nullable SendChannel sender = null;
                @Nullable ReceiveChannel receiver = null;
                while (sender == null || receiver == null) {
                    sender = sender == null ? connector.connect() : sender;
                    receiver = receiver == null ? again.accept() : receiver;
                }
                sender.close();
                receiver.close();
            }
            again.close();
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.openComms()).isZero();
    }

    @Test
    void aRegistrationThatHangsCostsItsChannelOnly() {
        FakePlugin plugin = FakePlugin.plain(8).fault("regmr:hang=40000@2").option("plugin-call-millis", "1000");
        move(plugin.node(FreePorts.block(1)).build(), 20_000_000);
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    @Test
    void aListenThatHangsIsNamed() {
        FakePlugin plugin = FakePlugin.plain(8).fault("listen:hang=40000@2").option("plugin-call-millis", "500");
        assertThatThrownBy(() -> move(plugin.node(FreePorts.block(1)).build(), 1000))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("listen on fake2 for channel 2 of GPU 0 has not come back within 0.5 s");
    }

    @Test
    void anInitThatHangsIsNamed() {
        FakePlugin plugin = FakePlugin.plain(8).fault("init:hang=40000").option("plugin-init-millis", "300");
        assertThatThrownBy(() -> open(plugin))
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("libnccl-net-fake.so (API 8): init has not come back within 0.3 s");
        assertThatThrownBy(() -> open(plugin)).hasMessageContaining("has not come back in this process");
    }

    @Test
    void aCloseThatHangsWithRequestsInFlightKeepsTheirMemory() throws Exception {
        FakePlugin plugin =
                FakePlugin.tcpx().fault("isend:stall,close:hang=40000").option("plugin-call-millis", "400");
        try (Transport transport = open(plugin);
                Loop loop = Loop.over(transport)) {
            assertThat(loop.send(4096)).isTrue();
            loop.sender().close();
            assertThat(loop.sender().isClosed()).isFalse();
            assertThatThrownBy(() -> {
                        while (!loop.sender().isClosed()) {
                            Thread.onSpinWait();
                        }
                    })
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("close on fake0 for channel 0 of GPU 0 has not come back within 0.4 s");
        }
    }

    /** It can be connected, and breaks in the same words each time: not a cable's fault, and not waited for as one. */
    @Test
    void theSameErrorOnEveryChannelAgainAndAgainEndsTheLink() {
        FakePlugin plugin = FakePlugin.tcpx().set("BOUNCE", "elsewhere");
        NodeConfig config = plugin.node(FreePorts.block(1)).build();
        assertThatThrownBy(() -> move(config, 5_000_000))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("which is no fault of a cable")
                .hasMessageContaining("a host GPU cannot reach");
    }

    /** A NIC is down for a while: the others carry, and what the plugin cannot end does not grow. */
    @Test
    void attemptsOnANicThatIsDownDoNotPileUp() throws Exception {
        FakePlugin plugin = FakePlugin.tcpx();
        NodeConfig config = plugin.node(FreePorts.block(1)).channels(8).build();
        long bytes = 4 << 20;
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = PluginLinkTest.links(server, client);
            Region from = client.allocate(0, bytes);
            Region to = server.allocate(0, bytes);
            from.fill(0, bytes, 4);
            plugin.down(1, true);
            long end = System.nanoTime() + Duration.ofSeconds(12).toNanos();
            int threads = 0;
            while (System.nanoTime() - end < 0) {
                Transfer in = links.get(1).receive(to, 0, bytes);
                links.get(0).send(from, 0, bytes).await(LIMIT);
                in.await(LIMIT);
                assertThat(plugin.listeners()).isLessThanOrEqualTo(2);
                assertThat(plugin.connecting()).isLessThanOrEqualTo(2);
                int now = Thread.activeCount();
                threads = threads == 0 ? now : threads;
                assertThat(now).isLessThanOrEqualTo(threads + 4);
            }
            assertThat(to.mismatch(0, bytes, 4)).isEqualTo(-1);
            plugin.down(1, false);
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }
}
