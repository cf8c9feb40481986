package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.BootstrapFormat;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.UnpackMode;
import org.sluice.spi.Channel;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;
import org.sluice.testkit.FreePorts;

/**
 * A node faces a UCCL TCPX program, played here from the format's description: the server sends u32 count, little-endian, and
 * count times 128 bytes; chunk i of the message goes on channel i mod count, with nothing else said by anyone.
 */
@Timeout(60)
class UcclBootstrapTest {
    private static final int CHANNELS = 3;
    private static final int HANDLE_BYTES = 128;
    private static final int CHUNK = 64 << 10;
    private static final int BYTES = 10 * CHUNK + 17;

    private final FakePlugin plugin = FakePlugin.tcpx();
    private final byte[] message = new byte[BYTES];

    UcclBootstrapTest() {
        new Random(11).nextBytes(message);
    }

    private NodeConfig config(int port) {
        return plugin.node(port)
                .channels(CHANNELS)
                .chunkBytes(CHUNK)
                .striping(Striping.ROUND_ROBIN)
                .bootstrap(BootstrapFormat.UCCL)
                .build();
    }

    @Test
    void aUcclClientSendsToANode() throws Exception {
        int port = FreePorts.block(1);
        try (Node node = Node.open(config(port));
                Transport transport = new NcclNetTransportProvider().open(plugin.transportConfig())) {
            node.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> node.accept(0));
            List<byte[]> handles = new ArrayList<>();
            try (Socket s = new Socket(InetAddress.getLoopbackAddress(), port);
                    Gpu gpu = Loop.host();
                    GpuMemory memory = gpu.allocate(BYTES)) {
                DataInputStream from = new DataInputStream(s.getInputStream());
                assertThat(Integer.reverseBytes(from.readInt())).isEqualTo(CHANNELS);
                for (int c = 0; c < CHANNELS; c++) {
                    handles.add(from.readNBytes(HANDLE_BYTES));
                }
                memory.host().orElseThrow().copyFrom(MemorySegment.ofArray(message));
                List<SendChannel> channels = connect(transport, gpu, handles);
                Link link = accepted.join();
                assertThat(from.read()).as("nothing follows the handles").isEqualTo(-1);
                Region to = node.allocate(0, BYTES);
                Transfer in = link.receive(to, 0, BYTES);
                sendAll(channels, memory);
                in.await(Duration.ofSeconds(20));
                MemorySegment got = MemorySegment.ofArray(new byte[BYTES]);
                to.read(0, got);
                assertThat(got.mismatch(MemorySegment.ofArray(message))).isEqualTo(-1);
                link.close();
                channels.forEach(SendChannel::close);
            }
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    @Test
    void aNodeSendsToAUcclServer() throws Exception {
        int port = FreePorts.block(1);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        byte[] got = new byte[BYTES];
        Thread uccl = Thread.ofPlatform().start(() -> {
            try {
                serve(port, got);
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        try (Node node = Node.open(config(port))) {
            Link link = node.connect(0, "127.0.0.1");
            Region from = node.allocate(0, BYTES);
            from.write(0, MemorySegment.ofArray(message));
            link.send(from, 0, BYTES).await(Duration.ofSeconds(20));
            uccl.join();
            link.close();
        }
        assertThat(failure.get()).isNull();
        assertThat(got).isEqualTo(message);
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    private List<SendChannel> connect(Transport transport, Gpu gpu, List<byte[]> handles) throws TransportException {
        List<Connector> connectors = new ArrayList<>();
        for (int c = 0; c < handles.size(); c++) {
            connectors.add(transport.connect(c % 4, handles.get(c), new ChannelContext(gpu, c, () -> {})));
        }
        List<SendChannel> channels = new ArrayList<>();
        for (Connector connector : connectors) {
            SendChannel channel = null;
            while (channel == null) {
                channel = connector.connect();
            }
            channels.add(channel);
        }
        return channels;
    }

    private static void sendAll(List<SendChannel> channels, GpuMemory memory) throws TransportException {
        List<Registration> registrations = new ArrayList<>();
        for (SendChannel c : channels) {
            registrations.add(c.register(memory));
        }
        long[] posted = new long[channels.size()];
        int sent = 0;
        int chunk = 0;
        int chunks = (BYTES + CHUNK - 1) / CHUNK;
        while (sent < chunks) {
            int c = chunk % channels.size();
            long at = (long) chunk * CHUNK;
            if (chunk < chunks
                    && channels.get(c)
                            .send(registrations.get(c), memory.address() + at, Math.min(CHUNK, BYTES - at), 0, at)) {
                posted[c]++;
                chunk++;
            }
            for (int i = 0; i < posted.length; i++) {
                if (posted[i] > 0 && channels.get(i).test() == Channel.DONE) {
                    posted[i]--;
                    sent++;
                }
            }
        }
    }

    private void serve(int port, byte[] got) throws IOException {
        try (Transport transport = new NcclNetTransportProvider().open(plugin.transportConfig());
                Gpu gpu = Loop.host();
                GpuMemory memory = gpu.allocate(BYTES);
                UnpackQueue unpack = gpu.unpackQueue(UnpackMode.HOST, 16)) {
            List<Listener> listeners = new ArrayList<>();
            ByteBuffer out = ByteBuffer.allocate(4 + CHANNELS * HANDLE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            out.putInt(CHANNELS);
            for (int c = 0; c < CHANNELS; c++) {
                listeners.add(transport.listen(c % 4, new ChannelContext(gpu, c, () -> {})));
                out.put(listeners.get(c).handle());
            }
            try (ServerSocket server = new ServerSocket(port);
                    Socket client = server.accept()) {
                client.getOutputStream().write(out.array());
            }
            int chunks = (BYTES + CHUNK - 1) / CHUNK;
            List<ReceiveChannel> channels = new ArrayList<>();
            for (int c = 0; c < CHANNELS; c++) {
                ReceiveChannel channel = null;
                while (channel == null) {
                    channel = listeners.get(c).accept();
                }
                channels.add(channel);
                listeners.get(c).close();
                Registration registration = channel.register(memory);
                for (long at = (long) c * CHUNK; at < BYTES; at += (long) CHANNELS * CHUNK) {
                    assertThat(channel.receive(registration, memory.address() + at, Math.min(CHUNK, BYTES - at), 0, at))
                            .isTrue();
                }
            }
            int[] arrived = new int[CHANNELS];
            for (int done = 0; done < chunks; ) {
                for (int c = 0; c < CHANNELS; c++) {
                    if (channels.get(c).test() == Channel.DONE) {
                        long at = ((long) arrived[c]++ * CHANNELS + c) * CHUNK;
                        long bytes = Math.min(CHUNK, BYTES - at);
                        channels.get(c).scattered().check(bytes);
                        unpack.enqueue(channels.get(c).scattered(), memory.address() + at, bytes);
                        channels.get(c).consumed();
                        done++;
                    }
                }
            }
            gpu.read(memory, 0, MemorySegment.ofArray(got));
            channels.forEach(ReceiveChannel::close);
        }
    }
}
