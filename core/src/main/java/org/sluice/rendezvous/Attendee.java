package org.sluice.rendezvous;

import org.sluice.wire.HostPort;

/**
 * A rank that has come to the meeting place.
 *
 * @param name what its machine calls itself, for people
 * @param host where its node can be reached: as it said itself, else the address that it came from
 * @param port where its node listens, 0 where it has none
 */
public record Attendee(int rank, String name, String host, int port) {
    static final int MOST_TEXT_BYTES = 255;

    /** As {@link org.sluice.Node#peer} takes it. */
    public String address() {
        return new HostPort(host, port).toString();
    }

    /** {@code rank 3 (node-3)}. */
    @Override
    public String toString() {
        return "rank " + rank + " (" + name + ")";
    }
}
