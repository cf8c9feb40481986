package org.sluice;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * How a node is set up: filled with defaults, checked once by {@link Builder#build}, then fixed.
 *
 * @param backend {@code cuda}, {@code host}, or {@code auto}: the best that works here
 * @param gpus how many GPUs, from 0; empty for all of the backend's
 * @param transport {@code tcp}, or another that is on the module path
 * @param nics NICs to use, in this order; empty for every usable one
 * @param channels channels of a link in each direction, 1 to 64
 * @param chunkBytes unit of striping, a multiple of 4096 from 4 KiB to 1 GiB; 0 for the best known for the backend
 * @param window most chunks a channel has in flight, 1 to 1024; 0 for what the transport allows, up to 64
 * @param socketsPerChannel connections of a channel, 1 to 16 (tcp); 0 for the best known for the backend
 * @param portBase bootstrap port of GPU 0; GPU <i>g</i> has {@code portBase + g}
 * @param deadline for each phase of making a link, and for a link that has lost every rail to get one back
 * @param clientWait how long a server waits for its first client
 * @param peerTimeout silence after which a peer counts as lost
 * @param stallTimeout how long what was sent on a channel may be unanswered, while the peer is alive, before the channel is given
 *     up and made anew, 50 ms to 1 minute; where its sender finds nothing wrong, its receiver waits eight times as long for a byte
 * @param smallBytes most bytes of a transfer that go with its announcement instead of by a channel, 0 to 16 KiB; where channels are checked
 *     and there is no secret, none do
 * @param stagingBytes most pinned host memory of a GPU for what is sent, and as much for what is received, where the transport cannot take the
 *     GPU's memory: all links share it; at least 64 KiB
 * @param spin how long an agent looks for work before it rests, up to 10 ms: sooner seen is what comes in between, at the cost of a CPU
 * @param secret file or environment content shared by both sides, at least 8 bytes; empty for none
 * @param tls PEM file with this node's private key, its certificate and the authority that vouches for peers, for TLS 1.3 on control
 *     connections; empty for none. Either both sides of a link have it or neither
 * @param duplex whether links have channels in both directions; a client's word
 * @param note up to 4 KiB that the peer's program gets to read with the link
 * @param transportOptions settings that only one transport knows
 * @param agentStart called once on each GPU's agent thread when it begins, with the GPU current there: to place the thread on CPUs
 * @param instrumented whether channels keep times and latencies besides their counts
 * @param requirements what links of this node are not to do without
 */
public record NodeConfig(
        String backend,
        OptionalInt gpus,
        UnpackMode unpack,
        String transport,
        List<String> nics,
        Map<String, String> transportOptions,
        int channels,
        long chunkBytes,
        Striping striping,
        int window,
        int socketsPerChannel,
        int portBase,
        BootstrapFormat bootstrap,
        Duration deadline,
        Duration clientWait,
        Duration peerTimeout,
        Duration stallTimeout,
        int smallBytes,
        long stagingBytes,
        Duration spin,
        byte[] secret,
        Optional<Path> tls,
        boolean duplex,
        byte[] note,
        Consumer<GpuInfo> agentStart,
        boolean instrumented,
        Requirements requirements) {

    /** What {@link #smallBytes} is unless told otherwise. */
    public static final int SMALL_BYTES = 4096;

    /** What {@link #stagingBytes} is unless told otherwise: two links of eight channels with two sockets each and slots of 1 MiB. */
    public static final long STAGING_BYTES = 128L << 20;

    /** From so many CPUs on an agent looks for work a little while: with few, it would take them from who has work. */
    private static final int MANY_CPUS = 8;

    /** About what a round trip on a fast network takes. */
    private static final Duration SPIN = Duration.ofNanos(20_000);

    /** The backend that stands for the best that works here. */
    static final String AUTO = "auto";

    /** Most GPUs of one node. */
    public static final int MAX_GPUS = 64;

    /** Most channels of a GPU pair, as in UCCL's format, whose client refuses more. */
    public static final int MAX_CHANNELS = 64;

    /** A year: longer is a slip of the unit. */
    private static final long MAX_MILLIS = 365L * 24 * 3600 * 1000;

    public NodeConfig {
        nics = List.copyOf(nics);
        transportOptions = Map.copyOf(transportOptions);
        secret = secret.clone();
        note = note.clone();
        gpus.ifPresent(n -> within("GPUs", n, 1, MAX_GPUS));
        within("channels", channels, 1, MAX_CHANNELS);
        within("window", window, 0, 1024);
        within("sockets per channel", socketsPerChannel, 0, 16);
        within("port", portBase, 1, 65535);
        within("deadline in ms", deadline.toMillis(), 1, MAX_MILLIS);
        within("client wait in ms", clientWait.toMillis(), 1, MAX_MILLIS);
        within("peer timeout in ms", peerTimeout.toMillis(), 100, MAX_MILLIS);
        within("small transfers' bytes", smallBytes, 0, 16 << 10);
        within("staging bytes", stagingBytes, 64 << 10, 1L << 40);
        within("spin in us", spin.toNanos() / 1000, 0, 10_000);
        within("stall timeout in ms", stallTimeout.toMillis(), 50, 60_000);
        if (chunkBytes != 0) {
            within("chunk bytes", chunkBytes, 4096, 1 << 30);
            if (chunkBytes % 4096 != 0) {
                throw new ConfigException("chunk bytes " + chunkBytes + " is not a multiple of 4096");
            }
        }
        if (deadline.toMillis() < 1 || clientWait.toMillis() < 1 || peerTimeout.toMillis() < 100) {
            throw new ConfigException("deadlines must be positive, and the peer timeout at least 100 ms");
        }
        if (portBase + gpus.orElse(1) - 1 > 65535) {
            throw new ConfigException("bootstrap ports " + portBase + " to " + (portBase + gpus.orElse(1) - 1)
                    + " go beyond 65535; give a lower --port");
        }
        if (bootstrap == BootstrapFormat.UCCL && striping != Striping.ROUND_ROBIN) {
            throw new ConfigException(
                    "the uccl bootstrap has no control connection for grants: it needs round-robin striping");
        }
        if (bootstrap == BootstrapFormat.UCCL && (duplex || secret.length > 0 || tls.isPresent())) {
            throw new ConfigException("the uccl bootstrap knows neither two directions nor a shared secret nor TLS");
        }
        if (note.length > 4096) {
            throw new ConfigException("a note has at most 4096 bytes, this one has " + note.length);
        }
    }

    private static void within(String what, long value, long least, long most) {
        if (value < least || value > most) {
            throw new ConfigException(what + ": " + value + " is not in " + least + " to " + most);
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects settings over the defaults. */
    public static final class Builder {
        private String backend = AUTO;
        private OptionalInt gpus = OptionalInt.empty();
        private UnpackMode unpack = UnpackMode.KERNEL;
        private String transport = "tcp";
        private List<String> nics = List.of();
        private Map<String, String> transportOptions = Map.of();
        private int channels = 8;
        private long chunkBytes;
        private Striping striping = Striping.ADAPTIVE;
        private int window;
        private int socketsPerChannel;
        private int portBase = 20000;
        private BootstrapFormat bootstrap = BootstrapFormat.SLUICE;
        private Duration deadline = Duration.ofSeconds(30);
        private Duration clientWait = Duration.ofMinutes(10);
        private Duration peerTimeout = Duration.ofSeconds(5);
        private Duration stallTimeout = Duration.ofMillis(400);
        private int smallBytes = SMALL_BYTES;
        private long stagingBytes = STAGING_BYTES;
        private Duration spin = Runtime.getRuntime().availableProcessors() < MANY_CPUS ? Duration.ZERO : SPIN;
        private byte[] secret = {};
        private Optional<Path> tls = Optional.empty();
        private boolean duplex = true;
        private byte[] note = {};
        private Consumer<GpuInfo> agentStart = gpu -> {};
        private boolean instrumented = true;
        private Requirements requirements = Requirements.NONE;

        private Builder() {}

        public Builder backend(String name) {
            backend = name;
            return this;
        }

        public Builder gpus(int count) {
            gpus = OptionalInt.of(count);
            return this;
        }

        public Builder unpack(UnpackMode mode) {
            unpack = mode;
            return this;
        }

        public Builder transport(String name) {
            transport = name;
            return this;
        }

        public Builder nics(List<String> names) {
            nics = names;
            return this;
        }

        public Builder transportOptions(Map<String, String> options) {
            transportOptions = options;
            return this;
        }

        public Builder channels(int count) {
            channels = count;
            return this;
        }

        public Builder chunkBytes(long bytes) {
            chunkBytes = bytes;
            return this;
        }

        public Builder striping(Striping rule) {
            striping = rule;
            return this;
        }

        public Builder window(int chunks) {
            window = chunks;
            return this;
        }

        public Builder socketsPerChannel(int count) {
            socketsPerChannel = count;
            return this;
        }

        public Builder portBase(int port) {
            portBase = port;
            return this;
        }

        public Builder bootstrap(BootstrapFormat format) {
            bootstrap = format;
            return this;
        }

        public Builder deadline(Duration each) {
            deadline = each;
            return this;
        }

        public Builder clientWait(Duration atMost) {
            clientWait = atMost;
            return this;
        }

        public Builder peerTimeout(Duration silence) {
            peerTimeout = silence;
            return this;
        }

        /** Most bytes of a transfer that go with its announcement, in one hop. */
        public Builder spin(Duration atMost) {
            spin = atMost;
            return this;
        }

        /** Most pinned host memory of a GPU in each direction. */
        public Builder stagingBytes(long most) {
            stagingBytes = most;
            return this;
        }

        public Builder smallBytes(int most) {
            smallBytes = most;
            return this;
        }

        public Builder stallTimeout(Duration silence) {
            stallTimeout = silence;
            return this;
        }

        public Builder secret(byte[] bytes) {
            secret = bytes.clone();
            return this;
        }

        public Builder tls(Path pemFile) {
            tls = Optional.of(pemFile);
            return this;
        }

        public Builder duplex(boolean both) {
            duplex = both;
            return this;
        }

        public Builder note(byte[] bytes) {
            note = bytes.clone();
            return this;
        }

        public Builder agentStart(Consumer<GpuInfo> call) {
            agentStart = call;
            return this;
        }

        public Builder instrumented(boolean on) {
            instrumented = on;
            return this;
        }

        /** What links are not to do without: without it a slow path is taken in silence. */
        public Builder requirements(Requirements notWithout) {
            requirements = notWithout;
            return this;
        }

        /** @throws ConfigException naming the setting and what it may be */
        public NodeConfig build() {
            return new NodeConfig(
                    backend,
                    gpus,
                    unpack,
                    transport,
                    nics,
                    transportOptions,
                    channels,
                    chunkBytes,
                    striping,
                    window,
                    socketsPerChannel,
                    portBase,
                    bootstrap,
                    deadline,
                    clientWait,
                    peerTimeout,
                    stallTimeout,
                    smallBytes,
                    stagingBytes,
                    spin,
                    secret,
                    tls,
                    duplex,
                    note,
                    agentStart,
                    instrumented,
                    requirements);
        }
    }
}
