package org.sluice;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** What a node is set up with, as it is read: what belongs together in one place. Nobody but {@link NodeConfig} implements any of it. */
public sealed interface NodeSettings permits NodeConfig {
    Devices devices();

    Network network();

    LinkSettings link();

    Timeouts timeouts();

    Protection protection();

    /** What links of this node are not to do without. */
    Requirements requirements();

    /** Whether channels keep times and latencies besides their counts. */
    boolean instrumented();

    /** The GPUs, and the agents that own them. */
    interface Devices {
        /** {@code cuda}, {@code host}, or {@code auto}: the best that works here. */
        String backend();

        /** How many GPUs, from 0; empty for all of the backend's. */
        OptionalInt gpus();

        /** How scattered chunks are gathered. */
        UnpackMode unpack();

        /**
         * Most pinned host memory of a GPU for what is sent, and as much for what is received, where the transport cannot take the GPU's
         * memory; all links share it. At least 64 KiB.
         */
        long stagingBytes();

        /** How long an agent looks for work before it rests, up to 10 ms: sooner seen is what comes in between, at the cost of a CPU. */
        Duration spin();

        /** Called once on each GPU's agent thread when it begins, with the GPU current there: to place the thread on CPUs. */
        Consumer<GpuInfo> agentStart();
    }

    /** The way to peers. */
    interface Network {
        /** {@code tcp}, or another that is on the module path. */
        String transport();

        /** NICs to use, in this order; empty for every usable one. */
        List<String> nics();

        /** Settings that only one transport knows. */
        Map<String, String> transportOptions();

        /** Bootstrap port of GPU 0; GPU <i>g</i> has {@code portBase + g}. */
        int portBase();

        /** What is said in a bootstrap. */
        BootstrapFormat bootstrap();
    }

    /** What links are made of; the client's word where it says so. */
    interface LinkSettings {
        /** Channels of a link in each direction, 1 to 64; a client's word. */
        int channels();

        /** Unit of striping, a multiple of 4096 from 4 KiB to 1 GiB; 0 for the best known for the backend. A client's word. */
        long chunkBytes();

        /** How chunks are spread over channels; a client's word. */
        Striping striping();

        /** Most chunks a channel has in flight, 1 to 1024; 0 for what the transport allows, up to 64. */
        int window();

        /** Connections of a channel, 1 to 16 (tcp); 0 for the best known for the backend. */
        int socketsPerChannel();

        /**
         * Most bytes of a transfer that go with its announcement instead of by a channel, 0 to 16 KiB; where channels are checked and there is
         * no secret, none do.
         */
        int smallBytes();

        /** Whether links have channels in both directions; a client's word. */
        boolean duplex();

        /** Up to 4 KiB that the peer's program gets to read with the link. */
        byte[] note();
    }

    /** How long is waited. */
    interface Timeouts {
        /** For each phase of making a link, and for a link that has lost every rail to get one back. */
        Duration deadline();

        /** How long a server waits for its first client. */
        Duration clientWait();

        /** Silence after which a peer counts as lost. */
        Duration peerTimeout();

        /**
         * How long what was sent on a channel may be unanswered, while the peer is alive, before the channel is given up and made anew, 50 ms to
         * 1 minute; where its sender finds nothing wrong, its receiver waits eight times as long for a byte.
         */
        Duration stallTimeout();
    }

    /** What keeps strangers out. */
    interface Protection {
        /** File or environment content shared by both sides, at least 8 bytes; empty for none. */
        byte[] secret();

        /**
         * PEM file with this node's private key, its certificate and the authority that vouches for peers, for TLS 1.3 on control connections;
         * empty for none. Either both sides of a link have it or neither.
         */
        Optional<Path> tls();
    }
}
