package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.UnpackMode;
import org.sluice.host.HostGpuBackend;
import org.sluice.memory.MemoryTransport;
import org.sluice.spi.Channel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;
import org.sluice.transfer.Agent;
import org.sluice.transfer.AgentLimits;
import org.sluice.transfer.NodeTimer;
import org.sluice.wire.Deadline;

/** Channels that are made belong to their maker until a link has them: given up before, they are closed. */
final class ChannelManagerTest {
    private final Agent agent = new Agent(
            new HostGpuBackend().open(0),
            UnpackMode.KERNEL,
            new NodeTimer(),
            AgentLimits.of(Duration.ofSeconds(10)),
            gpu -> {});
    private final MemoryTransport transport = new MemoryTransport(2, 4);
    private final ChannelManager receiver = new ChannelManager(agent, transport, 4096, 4, false);
    private final ChannelManager sender = new ChannelManager(agent, transport, 4096, 4, false);

    @AfterEach
    void close() {
        agent.close();
        transport.close();
    }

    private SendChannel made() throws Exception {
        int[] devices = {0, 1};
        Deadline deadline = Deadline.in(Duration.ofSeconds(10));
        List<byte[]> handles = onAgent(() -> {
            receiver.listen(devices);
            return receiver.handles();
        });
        CompletableFuture<ChannelManager.Channels> in =
                onAgent(() -> receiver.open(devices, List.of(), true, new BitSet(), deadline));
        CompletableFuture<ChannelManager.Channels> out =
                onAgent(() -> sender.open(devices, handles, false, new BitSet(), deadline));
        assertThat(in.get(10, TimeUnit.SECONDS).inbound()).hasSize(2);
        return out.get(10, TimeUnit.SECONDS).outbound().getFirst().channel();
    }

    private <T> T onAgent(Callable<T> step) throws Exception {
        return agent.call("a step", step).get(10, TimeUnit.SECONDS);
    }

    private int send(SendChannel channel) throws Exception {
        return onAgent(() -> {
            long at = agent.gpu().allocate(4096).address();
            channel.send(channel.register(agent.gpu().adopt(at, 4096)), at, 1, 0, 0);
            return channel.test();
        });
    }

    @Test
    @DisplayName("given up before a link has them, they are closed: the peer sees it")
    void untaken() throws Exception {
        SendChannel channel = made();
        onAgent(() -> {
            receiver.cancel("the peer of another GPU is gone");
            return 0;
        });
        assertThatThrownBy(() -> send(channel)).hasCauseInstanceOf(TransportException.class);
    }

    @Test
    @DisplayName("once a link has them they are the link's, whatever becomes of the making")
    void taken() throws Exception {
        SendChannel channel = made();
        onAgent(() -> {
            receiver.taken();
            receiver.cancel("another GPU failed");
            return 0;
        });
        assertThat(send(channel)).isEqualTo(Channel.PENDING);
    }
}
