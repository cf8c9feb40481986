package org.sluice.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelConnections;
import org.sluice.ChannelStats;
import org.sluice.ChannelTimes;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.peer.LinkReport;
import org.sluice.stats.ChannelTiming;
import org.sluice.transfer.Agent;
import org.sluice.transfer.LinkEngine;

/** What can be seen of a link's channels. */
record LinkView(LinkReport report) {
    /** How long somebody who only looks waits for the agent: just when a plugin's call hangs, people want to see what there is. */
    private static final Duration LOOK = Duration.ofSeconds(1);

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

    /** What is below the transport says of each open one; nothing while the agent does not answer. Any thread. */
    List<ChannelConnections> connections(Agent agent, Supplier<LinkEngine> engine) {
        if (agent.busyNanos() > LOOK.toNanos()) {
            return List.of();
        }
        try {
            return Answers.get(agent.call("its connections", () -> connections(engine.get()), LOOK, late -> {}));
        } catch (LinkException e) {
            if (e.code() == ErrorCode.AGENT_HANGS) {
                return List.of();
            }
            throw e;
        }
    }

    private List<ChannelConnections> connections(LinkEngine engine) {
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
