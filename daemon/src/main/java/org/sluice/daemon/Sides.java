package org.sluice.daemon;

import org.sluice.Link;
import org.sluice.LocalSide;
import org.sluice.RemoteSide;

/**
 * Where the bytes of one transfer lie at both ends.
 *
 * @param link that they are for
 * @param kept whether the peer was told of them once, for many transfers
 */
record Sides(Link link, LocalSide local, RemoteSide remote, boolean kept) {}
