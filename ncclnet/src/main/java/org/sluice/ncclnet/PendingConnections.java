package org.sluice.ncclnet;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.ChannelContext;

/**
 * Listeners and connectors that were given up while the plugin was at work in them, which nothing in its contract ends. Each holds
 * threads and descriptors of the plugin's: so that they do not grow with every attempt, the next attempt of the same channel goes on
 * with what is there. At most one of either kind is kept for a channel. Any thread.
 */
final class PendingConnections {
    private final List<NcclNetListener> listeners = new ArrayList<>();
    private final List<NcclNetConnector> connectors = new ArrayList<>();

    synchronized void keep(NcclNetListener listener) {
        listeners.add(listener);
    }

    synchronized void keep(NcclNetConnector connector) {
        connectors.add(connector);
    }

    synchronized @Nullable NcclNetListener takeListener(ChannelContext context, CommPlace place) {
        for (Iterator<NcclNetListener> i = listeners.iterator(); i.hasNext(); ) {
            NcclNetListener l = i.next();
            if (l.isFor(context, place)) {
                i.remove();
                return l;
            }
        }
        return null;
    }

    /** What is kept for the channel, where it leads to this handle; what leads elsewhere is of no use any more. */
    synchronized @Nullable NcclNetConnector takeConnector(ChannelContext context, CommPlace place, byte[] handle) {
        for (Iterator<NcclNetConnector> i = connectors.iterator(); i.hasNext(); ) {
            NcclNetConnector c = i.next();
            if (c.isFor(context, place)) {
                i.remove();
                if (c.isTo(handle)) {
                    return c;
                }
                c.leave();
            }
        }
        return null;
    }

    /** Leaves all to the plugin. @return whether there was none */
    synchronized boolean close() {
        listeners.forEach(NcclNetListener::leave);
        connectors.forEach(NcclNetConnector::leave);
        boolean none = listeners.isEmpty() && connectors.isEmpty();
        listeners.clear();
        connectors.clear();
        return none;
    }
}
