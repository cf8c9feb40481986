package org.sluice;

import java.util.List;
import org.sluice.spi.ConnectionFacts;

/**
 * A channel's connections as the kernel, or whoever is below the transport, sees them.
 *
 * @param gpu the local GPU
 * @param index the channel's number on the link
 * @param sending whether this side sends on it
 * @param nic the local NIC
 * @param connections one for each connection; empty where the transport cannot tell
 */
public record ChannelConnections(int gpu, int index, boolean sending, String nic, List<ConnectionFacts> connections) {
    public ChannelConnections {
        connections = List.copyOf(connections);
    }
}
