package org.sluice.spi;

import java.util.List;
import java.util.Map;

/**
 * What a node tells a transport when it opens it.
 *
 * @param nics names of the NICs to use, in this order; empty for every usable one
 * @param socketsPerChannel connections a channel may spread its requests over, at least 1 (tcp)
 * @param chunkBytes unit of striping that the node asks for, and so the longest message; 0 where it leaves that open
 * @param options settings that only one transport knows, by the name its documentation gives
 */
public record TransportConfig(List<String> nics, int socketsPerChannel, long chunkBytes, Map<String, String> options) {
    public TransportConfig {
        nics = List.copyOf(nics);
        options = Map.copyOf(options);
    }
}
