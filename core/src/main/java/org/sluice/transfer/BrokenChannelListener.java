package org.sluice.transfer;

import org.sluice.spi.TransportException;

/** Told when a channel broke at this end, or stalled; it is closed already. */
interface BrokenChannelListener {
    void broken(boolean sending, int channel, int generation, String description, TransportException why);
}
