package org.sluice.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelConnections;
import org.sluice.ChannelStats;
import org.sluice.ChannelTimes;
import org.sluice.peer.LinkReport;
import org.sluice.stats.ChannelTiming;
import org.sluice.transfer.LinkEngine;

/** What can be seen of a link's channels. */
record LinkView(LinkReport report) {
    /** What each has carried. Any thread. */
    List<ChannelStats> stats() {
        return report.channels().stream()
                .map(c -> new ChannelStats(
                        c.index(),
                        c.sending(),
                        c.nic(),
                        c.peerNic(),
                        c.description(),
                        c.counters().bytes(),
                        c.counters().chunks(),
                        c.counters().damaged(),
                        c.counters().retried(),
                        c.counters().reconnects(),
                        times(c.counters().timing())))
                .toList();
    }

    private static ChannelTimes times(@Nullable ChannelTiming timing) {
        return timing == null ? ChannelTimes.NONE : timing.snapshot();
    }

    /** What is below the transport says of each open one. Agent thread only. */
    List<ChannelConnections> connections(LinkEngine engine) {
        List<ChannelConnections> all = new ArrayList<>();
        for (boolean sending : new boolean[] {true, false}) {
            engine.eachOpen(
                    sending,
                    (channel, index) -> all.add(new ChannelConnections(
                            report.gpu(), index, sending, nic(sending, index), channel.connections())));
        }
        return List.copyOf(all);
    }

    private String nic(boolean sending, int channel) {
        return report.channels().stream()
                .filter(c -> c.sending() == sending && c.index() == channel)
                .map(LinkReport.ChannelView::nic)
                .findFirst()
                .orElse("unknown");
    }
}
