package org.sluice.peer;

import java.util.ArrayList;
import java.util.List;
import org.sluice.LinkPath;
import org.sluice.stats.ChannelCounters;

/**
 * What a link is made of, for those who watch it.
 *
 * @param gpu the local GPU
 * @param note what the peer's program said
 * @param path the way that its bytes go
 * @param channels every channel, sending ones first; where memory is shared, what is pulled counts as one more of each direction
 */
public record LinkReport(int gpu, byte[] note, LinkPath path, List<ChannelView> channels) {
    /**
     * A channel and its counters.
     *
     * @param sending whether this side sends on it
     * @param description both ends as the transport says them
     */
    public record ChannelView(
            int index, boolean sending, String nic, String peerNic, String description, ChannelCounters counters) {}

    static LinkReport of(OpenedLink link, LinkPath path, LinkSession session) {
        AgreedLink agreed = link.agreed();
        List<ChannelView> views = new ArrayList<>();
        link.channels()
                .outbound()
                .forEach(e -> views.add(new ChannelView(
                        e.index(),
                        true,
                        agreed.localNic(e.index()),
                        agreed.remoteNic(e.index()),
                        e.channel().description(),
                        e.counters())));
        link.channels()
                .inbound()
                .forEach(e -> views.add(new ChannelView(
                        e.index(),
                        false,
                        agreed.localNic(e.index()),
                        agreed.remoteNic(e.index()),
                        e.channel().description(),
                        e.counters())));
        LinkSharing sharing = session.sharing();
        if (sharing != null && sharing.decided().getNow("undecided").isEmpty()) {
            pulled(views, path.transport(), sharing);
        }
        return new LinkReport(link.attempt().gpu(), agreed.partner().saidNote(), path, List.copyOf(views));
    }

    private static void pulled(List<ChannelView> views, String transport, LinkSharing sharing) {
        for (boolean sending : new boolean[] {true, false}) {
            int index = (int) views.stream().filter(v -> v.sending() == sending).count();
            views.add(new ChannelView(
                    index,
                    sending,
                    transport,
                    transport,
                    "memory of " + (sending ? "this process, pulled by " : "") + sharing.peerProcess(),
                    sharing.counters(sending)));
        }
    }
}
