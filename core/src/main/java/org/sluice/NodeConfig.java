package org.sluice;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * How a node is set up: a {@linkplain #builder builder} over the defaults, checked once, then fixed. What belongs together is read
 * together: {@link #devices}, {@link #network}, {@link #link}, {@link #timeouts}, {@link #protection}. A later version may have more settings;
 * programs that build and read as they do today go on to compile and run.
 */
public final class NodeConfig implements NodeSettings {
    /** What {@link NodeSettings.LinkSettings#smallBytes} is unless told otherwise. */
    public static final int SMALL_BYTES = 4096;

    /** What {@link NodeSettings.Devices#stagingBytes} is unless told otherwise: two links of eight channels with two sockets each and slots of 1 MiB. */
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

    private final Devices devices;
    private final Network network;
    private final LinkSettings link;
    private final Timeouts timeouts;
    private final Protection protection;
    private final Requirements requirements;
    private final boolean instrumented;

    private record GivenDevices(
            String backend,
            OptionalInt gpus,
            UnpackMode unpack,
            long stagingBytes,
            Duration spin,
            Consumer<GpuInfo> agentStart)
            implements Devices {
        GivenDevices {
            gpus.ifPresent(n -> within("GPUs", n, 1, MAX_GPUS));
            within("staging bytes", stagingBytes, 64 << 10, 1L << 40);
            within("spin in us", spin.toNanos() / 1000, 0, 10_000);
        }
    }

    private record GivenNetwork(
            String transport,
            List<String> nics,
            Map<String, String> transportOptions,
            int portBase,
            BootstrapFormat bootstrap)
            implements Network {
        GivenNetwork {
            nics = List.copyOf(nics);
            transportOptions = Map.copyOf(transportOptions);
            within("port", portBase, 1, 65535);
        }
    }

    private record GivenLink(
            int channels,
            long chunkBytes,
            Striping striping,
            int window,
            int socketsPerChannel,
            int smallBytes,
            boolean duplex,
            byte[] note)
            implements LinkSettings {
        GivenLink {
            note = note.clone();
            within("channels", channels, 1, MAX_CHANNELS);
            within("window", window, 0, 1024);
            within("sockets per channel", socketsPerChannel, 0, 16);
            within("small transfers' bytes", smallBytes, 0, 64 << 10);
            if (chunkBytes != 0) {
                within("chunk bytes", chunkBytes, 4096, 1 << 30);
                if (chunkBytes % 4096 != 0) {
                    throw new ConfigException("chunk bytes " + chunkBytes + " is not a multiple of 4096");
                }
            }
            if (note.length > 4096) {
                throw new ConfigException("a note has at most 4096 bytes, this one has " + note.length);
            }
        }

        @Override
        public byte[] note() {
            return note.clone();
        }
    }

    private record GivenTimeouts(Duration deadline, Duration clientWait, Duration peerTimeout, Duration stallTimeout)
            implements Timeouts {
        GivenTimeouts {
            within("deadline in ms", deadline.toMillis(), 1, MAX_MILLIS);
            within("client wait in ms", clientWait.toMillis(), 1, MAX_MILLIS);
            within("peer timeout in ms", peerTimeout.toMillis(), 100, MAX_MILLIS);
            within("stall timeout in ms", stallTimeout.toMillis(), 50, 60_000);
        }
    }

    private record GivenProtection(byte[] secret, Optional<Path> tls) implements Protection {
        GivenProtection {
            secret = secret.clone();
        }

        @Override
        public byte[] secret() {
            return secret.clone();
        }
    }

    private NodeConfig(Builder b) {
        devices = new GivenDevices(b.backend, b.gpus, b.unpack, b.stagingBytes, b.spin, b.agentStart);
        network = new GivenNetwork(b.transport, b.nics, b.transportOptions, b.portBase, b.bootstrap);
        link = new GivenLink(
                b.channels, b.chunkBytes, b.striping, b.window, b.socketsPerChannel, b.smallBytes, b.duplex, b.note);
        timeouts = new GivenTimeouts(b.deadline, b.clientWait, b.peerTimeout, b.stallTimeout);
        protection = new GivenProtection(b.secret, b.tls);
        requirements = b.requirements;
        instrumented = b.instrumented;
        int last = b.portBase + b.gpus.orElse(1) - 1;
        if (last > 65535) {
            throw new ConfigException(
                    "bootstrap ports " + b.portBase + " to " + last + " go beyond 65535; give a lower --port");
        }
        if (b.bootstrap == BootstrapFormat.UCCL && b.striping != Striping.ROUND_ROBIN) {
            throw new ConfigException(
                    "the uccl bootstrap has no control connection for grants: it needs round-robin striping");
        }
        if (b.bootstrap == BootstrapFormat.UCCL && (b.duplex || b.secret.length > 0 || b.tls.isPresent())) {
            throw new ConfigException("the uccl bootstrap knows neither two directions nor a shared secret nor TLS");
        }
    }

    private static void within(String what, long value, long least, long most) {
        if (value < least || value > most) {
            throw new ConfigException(what + ": " + value + " is not in " + least + " to " + most);
        }
    }

    @Override
    public Devices devices() {
        return devices;
    }

    @Override
    public Network network() {
        return network;
    }

    @Override
    public LinkSettings link() {
        return link;
    }

    @Override
    public Timeouts timeouts() {
        return timeouts;
    }

    @Override
    public Protection protection() {
        return protection;
    }

    @Override
    public Requirements requirements() {
        return requirements;
    }

    @Override
    public boolean instrumented() {
        return instrumented;
    }

    /** A builder over the defaults. */
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
            return new NodeConfig(this);
        }
    }
}
