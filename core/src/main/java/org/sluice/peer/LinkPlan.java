package org.sluice.peer;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.NodeConfig;
import org.sluice.Striping;
import org.sluice.spi.Gpu;
import org.sluice.spi.Nic;
import org.sluice.spi.Transport;
import org.sluice.transfer.RegionDirectory;
import org.sluice.wire.SharedSecret;
import org.sluice.wire.Tls;

/**
 * What a node brings to every link it makes: its settings with the open ends filled in.
 *
 * @param rails what it knows of the rails to its peers
 * @param chunkBytes unit of striping
 * @param window most chunks a receiving channel has in flight
 * @param sendWindow most chunks a sending channel has in flight
 * @param regions what peers may name, by GPU
 * @param sharing with peers of this host; null where memory is not shared
 * @param resumptions the links of this node's that clients made, whose control connections may move
 * @param pulses the signs of life of each peer
 */
public record LinkPlan(
        NodeConfig config,
        Transport transport,
        RailBook rails,
        long chunkBytes,
        int window,
        int sendWindow,
        int stagingSlots,
        @Nullable Tls tls,
        @Nullable SharedSecret secret,
        List<RegionDirectory> regions,
        @Nullable NodeSharing sharing,
        Resumptions resumptions,
        PeerPulses pulses) {

    /**
     * Receives in flight for transports that allow more. A kernel connection on one host holds some 24 MiB by itself: with fewer
     * chunks than that its sender runs out of them and is woken for each few (docs/performance.md). Slow rails get as many as they
     * move in 50 ms.
     */
    private static final int MOST_WINDOW = 64;

    /** UCCL's send window for plugins, which leaves headroom below their 16 requests. */
    private static final int PLUGIN_SEND_WINDOW = 12;

    /** The seed's and UCCL's chunk. */
    private static final long HOST_CHUNK = 512 << 10;

    /** For staged GPU memory: below 1 MiB a copy's fixed cost of about 14 µs shows. */
    private static final long STAGED_CHUNK = 1 << 20;

    /** Slots a socket: copying, sending, and two to keep both busy, as the C pipelines that set the mark have. */
    private static final int STAGING_SLOTS = 4;

    /**
     * Connections of a channel where the configuration leaves it open: for staged GPU memory two, since sixteen sockets carry more
     * between GPUs than eight do (docs/performance.md).
     */
    public static int socketsPerChannel(NodeConfig config, Gpu gpu) {
        int given = config.link().socketsPerChannel();
        return given != 0 ? given : gpu.hostAccessible() ? 1 : 2;
    }

    /** Fills in what the configuration leaves open, for these NICs and GPUs. */
    public static LinkPlan of(
            NodeConfig config,
            Transport transport,
            RailBook rails,
            int sockets,
            Gpu gpu,
            List<RegionDirectory> regions,
            @Nullable NodeSharing sharing) {
        int requests =
                transport.devices().stream().mapToInt(Nic::maxRequests).min().orElse(MOST_WINDOW);
        boolean staged = !gpu.hostAccessible()
                && transport.devices().stream().noneMatch(n -> n.memory().contains(gpu.memoryKind()));
        long longest = transport.devices().stream()
                .mapToLong(Nic::maxMessageBytes)
                .min()
                .orElse(Long.MAX_VALUE);
        long chunk = config.link().chunkBytes() != 0 ? config.link().chunkBytes() : staged ? STAGED_CHUNK : HOST_CHUNK;
        if (chunk > longest) {
            chunk = longest;
        }
        int window = Math.min(
                requests,
                config.link().window() == 0 ? MOST_WINDOW : config.link().window());
        int sendWindow = transport.ringsDoorbell() ? window : Math.min(window, PLUGIN_SEND_WINDOW);
        SharedSecret secret = config.protection().secret().length == 0
                ? null
                : new SharedSecret(config.protection().secret());
        Tls tls = config.protection().tls().map(Tls::of).orElse(null);
        int slots = Integer.highestOneBit(STAGING_SLOTS * sockets * 2 - 1);
        return new LinkPlan(
                config,
                transport,
                rails,
                chunk,
                window,
                sendWindow,
                slots,
                tls,
                secret,
                List.copyOf(regions),
                sharing,
                new Resumptions(),
                new PeerPulses(config.timeouts().peerTimeout()));
    }

    /** What those need who come to this node's ports. */
    Reception.Settings reception() {
        return new Reception.Settings(tls, secret, rails, resumptions, deadline());
    }

    Duration deadline() {
        return config.timeouts().deadline();
    }

    boolean roundRobin() {
        return config.link().striping() == Striping.ROUND_ROBIN;
    }

    /** Which NICs hang on the GPU's NUMA node: bit <i>n</i> for NIC <i>n</i>. */
    long near(Gpu gpu) {
        long near = 0;
        List<Nic> nics = transport.devices();
        for (int n = 0; n < nics.size(); n++) {
            if (gpu.numaNode() >= 0 && gpu.numaNode() == nics.get(n).numaNode()) {
                near |= 1L << n;
            }
        }
        return near;
    }
}
