package org.sluice.peer;

import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.sluice.transfer.EngineSettings;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.Rail;

/**
 * A link whose both sides have said all there is to say: what is left is to make its channels.
 *
 * @param socket the connection on which it was agreed, which becomes the control connection
 * @param server whether this side is the server
 * @param accepts whether this side receives, and so accepts channels
 * @param rails of each channel
 * @param lost channels whose rail ought to work and does not now: they begin as lost ones
 * @param peerHandles where to connect, one a channel; empty where this side does not send
 */
record AgreedLink(
        LinkAttempt attempt,
        FrameSocket socket,
        Partner partner,
        EngineSettings settings,
        boolean server,
        boolean accepts,
        List<Rail> rails,
        BitSet lost,
        List<byte[]> peerHandles)
        implements LinkStage {
    AgreedLink {
        rails = List.copyOf(rails);
        lost = (BitSet) lost.clone();
        peerHandles = List.copyOf(peerHandles);
    }

    /** The local device of each channel. */
    int[] devices() {
        return rails.stream().mapToInt(server ? Rail::server : Rail::client).toArray();
    }

    String localNic(int channel) {
        Rail r = rails.get(channel);
        return attempt.nic(server ? r.server() : r.client());
    }

    /** The peer's NIC of a channel; where it has not named its NICs, this side's. */
    String remoteNic(int channel) {
        Rail r = rails.get(channel);
        int index = server ? r.client() : r.server();
        return index < partner.nics().size() ? partner.nics().get(index).name() : localNic(channel);
    }

    /** Whether a channel's rail is worth an attempt: the client, which proves rails, knows it of those that did not work before. */
    boolean railWorks(int channel) {
        return !lost.get(channel)
                || partner.rails().map(l -> l.rails().works(rails.get(channel))).orElse(true);
    }

    /** In words: how many channels, over what. */
    String channelText() {
        List<String> nics = IntStream.range(0, rails.size())
                .mapToObj(this::localNic)
                .distinct()
                .toList();
        return rails.size() + " channels over " + String.join(", ", nics);
    }
}
