package org.sluice;

/** How the chunks of a transfer are spread over the channels of a link. */
public enum Striping {
    /** The receiver grants the next missing chunk to whichever channel has room: fast rails take more. The default. */
    ADAPTIVE,
    /** Chunk <i>i</i> on channel <i>i mod N</i>, as the seed and UCCL do: the slowest rail sets the pace. */
    ROUND_ROBIN
}
