package org.sluice.tcp;

import java.io.IOException;
import org.sluice.linux.TcpSocket;

/** A socket that the {@link Doors}' thread looks after, for as long as it has something to do there. */
interface Visit {
    TcpSocket socket();

    /** What it waits for: events of {@link org.sluice.linux.PollSet}. */
    short events();

    /** When it is over even if nothing happens, by {@link System#nanoTime()}; {@link Doors#NEVER} for one that stays. */
    long endsAt();

    /** The socket is ready. @return whether the visit is over; who has the socket then closes it */
    boolean turn() throws IOException;

    /** The visit ends without an end of its own: the time is over, the socket broke, the doors close. Closes the socket. */
    void end(String why);
}
