package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.BootstrapFormat;
import org.sluice.ConfigException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.spi.TransportException;
import org.sluice.testkit.FreePorts;

/** A plugin that misbehaves: each fault ends in one clear message, or is got over, and nothing hangs. */
@Timeout(60)
class PluginFaultTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @ParameterizedTest
    @CsvSource({"init,init", "devices,devices", "properties,getProperties of device 0"})
    void aPluginThatDoesNotStartSaysWhichCallFailed(String call, String named) {
        FakePlugin plugin = FakePlugin.plain(7).fault(call + ":error=3");
        assertThatThrownBy(() -> new NcclNetTransportProvider().open(plugin.transportConfig()))
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("libnccl-net-fake.so (API 7): " + named + " failed with ncclInternalError (3)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"connect", "accept"})
    void aChannelThatCannotBeMadeNamesCallNicChannelAndGpu(String call) {
        FakePlugin plugin = FakePlugin.plain(8).fault(call + ":error=6@2");
        assertThatThrownBy(() -> move(plugin.node(FreePorts.block(1))))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("cannot " + call)
                .hasMessageContaining("libnccl-net-fake.so (API 8), " + call + " on fake")
                .hasMessageContaining("of GPU 0 failed: ncclRemoteError (6)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"connect", "accept"})
    void aConnectThatNeverEndsIsOverdue(String call) {
        FakePlugin plugin = FakePlugin.plain(8).fault(call + ":stall@2");
        NodeConfig.Builder config = plugin.node(FreePorts.block(1)).deadline(Duration.ofSeconds(1));
        assertThatThrownBy(() -> move(config))
                .isInstanceOf(LinkException.class)
                .hasMessageMatching("(?s).*(not made within|while channels were being made).*");
    }

    /** A link of the uccl bootstrap: one direction, derived striping. */
    private static NodeConfig.Builder bare(FakePlugin plugin) {
        return plugin.node(FreePorts.block(1))
                .striping(Striping.ROUND_ROBIN)
                .duplex(false)
                .bootstrap(BootstrapFormat.UCCL);
    }

    @Test
    void memoryThatIsNotTakenNamesNicAndCall() {
        FakePlugin plugin = FakePlugin.plain(8).fault("regmr:error=3");
        assertThatThrownBy(() -> move(bare(plugin)))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("regMr on fake")
                .hasMessageContaining("ncclInternalError (3)");
    }

    /** A link of the uccl bootstrap has no other way for a chunk: it ends, and says why. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            isend:error=2@5        | isend on fake       | ncclSystemError (2)
            irecv:error=3@5        | irecv on fake       | ncclInternalError (3)
            test:error=6@50        | test on fake        | ncclRemoteError (6)
            consumed:error=3@2     | consumed on fake    | ncclInternalError (3)
            descriptors:count=5000@2 | unpack list       | has 5000 descriptors, allowed are 0 to 2048
            descriptors:count=-1@2 | unpack list         | has 18446744073709551615 descriptors
            descriptors:dst@2      | unpack descriptor   | of a chunk of 65536
            descriptors:length@2   | unpack descriptor   | of a chunk of 65536
            descriptors:gap@2      | unpack list carries 65535 bytes | the chunk has 65536
            descriptors:idx@2      | unpack slot         | not laid out as those of GPUDirect-TCPX
            isend:short@5          | unpack list carries 65535 bytes | the chunk has 65536
            """)
    void aBrokenChannelEndsALinkOfTheUcclBootstrap(String fault, String what, String why) {
        FakePlugin plugin = FakePlugin.tcpx().fault(fault);
        assertThatThrownBy(() -> move(bare(plugin)))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining(what)
                .hasMessageContaining(why);
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.openComms()).isZero();
    }

    /** Adaptive striping closes the channel, takes its chunks elsewhere, and every byte is right. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "isend:error=2@40",
                "irecv:error=3@40",
                "test:error=6@400",
                "consumed:error=3@10",
                "descriptors:count=5000@10",
                "descriptors:dst@10",
                "descriptors:idx@10",
                "test:stall@400"
            })
    void adaptiveStripingGoesOnWithoutABrokenChannel(String fault) {
        FakePlugin plugin = FakePlugin.tcpx().fault(fault);
        move(plugin.node(FreePorts.block(1)));
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.openComms()).isZero();
    }

    @Test
    void aChannelOfAPluginThatStallsSaysWhatItsOldestRequestIsAt() throws Exception {
        FakePlugin plugin = FakePlugin.plain(7).fault("isend:stall");
        try (var open = new NcclNetTransportProvider().open(plugin.transportConfig());
                Loop loop = Loop.over(open)) {
            loop.send(4096);
            loop.send(4096);
            for (int i = 0; i < 1000; i++) {
                loop.sender().test();
            }
            assertThat(loop.sender().description())
                    .isEqualTo("libnccl-net-fake.so (API 7) fake0, request 0 not done after 1000 tests, 2 in flight");
        }
    }

    /** One thread has both ends: a close that waited for the peer's on it would wait for ever. */
    @Test
    void bothEndsOfAChannelCanBeClosedByOneThreadWhereACloseWaitsForThePeers() throws Exception {
        FakePlugin plugin = FakePlugin.plain(7).set("CLOSE", "meets");
        try (var open = new NcclNetTransportProvider().open(plugin.transportConfig())) {
            Loop.over(open).close();
        }
        assertThat(plugin.openComms()).isZero();
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    @Test
    void aCloseThatDoesNotComeBackIsLeftBehind() throws Exception {
        FakePlugin plugin = FakePlugin.plain(11).fault("close:hang=30000").option("plugin-call-millis", "300");
        try (var open = new NcclNetTransportProvider().open(plugin.transportConfig())) {
            Loop.over(open).close();
        }
        assertThat(plugin.openComms()).as("the comm that hangs, and no other").isEqualTo(1);
        assertThat(plugin.violations())
                .as("not finalized under it: %s", plugin.firstViolation())
                .isZero();
    }

    @Test
    void settingsThatAreWrongAreNamed() {
        assertThatThrownBy(() -> Node.open(config("plugin", "/nowhere/libnccl-net.so")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("there is no plugin /nowhere/libnccl-net.so");
        assertThatThrownBy(() -> Node.open(config("plugin-api", "13")))
                .hasMessageContaining("plugin-api: 13 is not a number from 5 to 12");
        assertThatThrownBy(() -> Node.open(config("profile", "a4")))
                .hasMessageContaining("there is no profile a4; there are a3-high, a3-mega");
        assertThatThrownBy(() -> Node.open(config("plugin-log", "loud")))
                .hasMessageContaining("plugin-log: loud is not one of full, plain, off");
        assertThatThrownBy(() -> Node.open(config("colour", "red"))).hasMessageContaining("there is no option colour");
    }

    @Test
    void aFileThatIsNoPluginSaysWhy() {
        assertThatThrownBy(() -> Node.open(config("plugin", "/etc/passwd")))
                .hasMessageContaining("the plugin /etc/passwd does not load: ")
                .hasMessageContaining("invalid ELF header");
        assertThatThrownBy(() -> Node.open(config("plugin", "libc.so.6")))
                .hasMessageContaining("libc.so.6 exports no ncclNetPlugin_v5 to _v12");
    }

    @Test
    void anUnknownNicIsNamedWithThoseThereAre() {
        FakePlugin plugin = FakePlugin.plain(7);
        assertThatThrownBy(
                        () -> Node.open(plugin.node(20000).nics(List.of("eth9")).build()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(
                        "there is no NIC eth9; libnccl-net-fake.so (API 7) has fake0, fake1, fake2, fake3");
    }

    private static NodeConfig config(String option, String value) {
        return NodeConfig.builder()
                .backend("host")
                .transport("nccl-net")
                .transportOptions(
                        option.equals("plugin")
                                ? java.util.Map.of("plugin", value)
                                : java.util.Map.of("plugin", "/x.so", option, value))
                .build();
    }

    private static void move(NodeConfig.Builder builder) {
        NodeConfig config = builder.build();
        long bytes = 20_000_000;
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = PluginLinkTest.links(server, client);
            Region from = client.allocate(0, bytes);
            Region to = server.allocate(0, bytes);
            from.fill(0, bytes, 3);
            Transfer in = links.get(1).receive(to, 0, bytes);
            Transfer out = links.get(0).send(from, 0, bytes);
            // the side that has the fault and the side that sees its peer go: whose word is first is chance
            List<String> failures = new ArrayList<>();
            for (Transfer t : List.of(in, out)) {
                try {
                    t.await(LIMIT);
                } catch (SluiceException e) {
                    failures.add(e.getMessage());
                }
            }
            if (!failures.isEmpty()) {
                throw new LinkException(String.join("\n", failures));
            }
            assertThat(to.mismatch(0, bytes, 3)).isEqualTo(-1);
        }
    }
}
