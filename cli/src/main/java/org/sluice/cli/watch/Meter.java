package org.sluice.cli.watch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.NicInfo;
import org.sluice.Node;

/** Reads the engine's counters of a node's links. Any thread may use it. */
final class Meter {
    private final List<Link> links;
    private final List<String> nics;
    private final long startedAt = System.nanoTime();
    private final double cpuBefore = ProcessCpu.all();
    private final double movingCpuBefore = ProcessCpu.moving();

    Meter(Node node, List<Link> links) {
        this.links = List.copyOf(links);
        this.nics = node.nics().stream().map(NicInfo::name).toList();
    }

    List<String> nics() {
        return nics;
    }

    /** By GPU, what its channels have carried. */
    Map<Integer, List<ChannelStats>> channels() {
        Map<Integer, List<ChannelStats>> all = new LinkedHashMap<>();
        links.forEach(l -> all.put(l.gpu(), l.channels()));
        return all;
    }

    Reading read() {
        long[] gpuBytes = new long[links.size()];
        long[] sent = new long[nics.size()];
        long[] received = new long[nics.size()];
        for (int l = 0; l < gpuBytes.length; l++) {
            for (ChannelStats c : links.get(l).channels()) {
                gpuBytes[l] += c.bytes();
                int nic = nics.indexOf(c.nic());
                if (nic >= 0) {
                    (c.sending() ? sent : received)[nic] += c.bytes();
                }
            }
        }
        return new Reading(
                (System.nanoTime() - startedAt) / 1e9, gpuBytes, sent, received, ProcessCpu.all() - cpuBefore);
    }

    /** Seconds of CPU of the threads that move bytes, since this was made. */
    double movingCpuSeconds() {
        return ProcessCpu.moving() - movingCpuBefore;
    }
}
