package org.sluice.transfer;

/** What a look at a channel says of its rail. */
enum RailVerdict {
    /** Something moves, or not enough time has passed to say. */
    MOVING,
    /** Nothing moves: whether the peer is alive is worth knowing. */
    SUSPECT,
    /** Nothing moves, and the peer is alive. */
    DEAD
}
