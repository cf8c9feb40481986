package org.sluice.peer;

import org.sluice.Notification;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;

/** What the programs at both ends of a link hear of it besides transfers. On the agent's thread, or the timer's where the agent hangs. */
public interface LinkEvents {
    void note(byte[] note);

    /** A transfer has landed with it. */
    void notified(Notification notification);

    void region(String name, RemoteRegion region);

    /** The peer took a name back. */
    void withdrawn(String name);

    /** The link is over. @param goodbye whether one side closed it, and nothing failed */
    void ended(SluiceException why, boolean goodbye);
}
