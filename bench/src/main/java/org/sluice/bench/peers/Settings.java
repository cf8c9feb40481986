package org.sluice.bench.peers;

import java.time.Duration;
import java.util.List;
import org.sluice.NodeConfig;

/**
 * What a run is made of.
 *
 * @param gpus GPUs of every node, host ones
 * @param peers nodes around the one that is measured
 * @param processes JVMs that those nodes share
 * @param channels channels of a link and direction
 */
record Settings(int gpus, int peers, int processes, int channels) {
    static final long BYTES = 256 << 10;

    static Settings of(List<String> args) {
        return new Settings(number(args, 0, 8), number(args, 1, 64), number(args, 2, 8), number(args, 3, 4));
    }

    private static int number(List<String> args, int place, int otherwise) {
        return place < args.size() ? Integer.parseInt(args.get(place)) : otherwise;
    }

    List<String> text() {
        return List.of("" + gpus, "" + peers, "" + processes, "" + channels);
    }

    /** Host GPUs over four loopback rails: the transport is named, so that nothing but sockets is measured. */
    NodeConfig node() {
        return NodeConfig.builder()
                .backend("host")
                .gpus(gpus)
                .transport("tcp")
                .nics(List.of("lo1", "lo2", "lo3", "lo4"))
                .channels(channels)
                .deadline(Duration.ofMinutes(2))
                .build();
    }
}
