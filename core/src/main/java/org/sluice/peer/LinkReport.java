package org.sluice.peer;

import java.util.ArrayList;
import java.util.List;
import org.sluice.stats.ChannelCounters;

/**
 * What a link is made of, for those who watch it.
 *
 * @param gpu the local GPU
 * @param note what the peer's program said
 * @param channels every channel, sending ones first
 */
public record LinkReport(int gpu, byte[] note, List<ChannelView> channels) {
    /**
     * A channel and its counters.
     *
     * @param sending whether this side sends on it
     * @param description both ends as the transport says them
     */
    public record ChannelView(
            int index, boolean sending, String nic, String peerNic, String description, ChannelCounters counters) {}

    static LinkReport of(LinkMaking link) {
        List<ChannelView> views = new ArrayList<>();
        link.channels()
                .outbound()
                .forEach(e -> views.add(new ChannelView(
                        e.index(),
                        true,
                        link.localNic(e.index()),
                        link.remoteNic(e.index()),
                        e.channel().description(),
                        e.counters())));
        link.channels()
                .inbound()
                .forEach(e -> views.add(new ChannelView(
                        e.index(),
                        false,
                        link.localNic(e.index()),
                        link.remoteNic(e.index()),
                        e.channel().description(),
                        e.counters())));
        return new LinkReport(link.gpu(), link.note(), List.copyOf(views));
    }
}
