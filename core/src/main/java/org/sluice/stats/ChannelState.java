package org.sluice.stats;

/** What a channel is waiting for, at the end of an agent's turn. */
public enum ChannelState {
    /** Nothing is to be moved, or nothing that this channel could have a part of. */
    IDLE(0),
    /** Sending: transfers are under way and the receiver has granted nothing here, or has not yet said that all has landed. */
    NO_GRANT(1),
    /** The transport takes no further request at present. */
    NO_SLOT(2),
    /** Chunks are with the transport: the wire or the other side sets the pace. */
    SOCKET(3),
    /** Chunks are being copied or unpacked, and nothing is with the transport. */
    STAGING(4);

    static final int COUNT = values().length;

    /** Its place in an array of times. */
    final int slot;

    ChannelState(int slot) {
        this.slot = slot;
    }
}
