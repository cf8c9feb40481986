package org.sluice.ncclnet;

import java.util.List;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

/** A named set of environment variables for a kind of machine. What the user set himself stays. */
interface Profile {
    /**
     * A variable that the machine's plugin needs.
     *
     * @param why in a few words, for the log
     */
    record Variable(String name, String value, String why) {}

    String name();

    /** Where the machine's images keep the plugin. */
    String plugin();

    /** The variables, for the NICs, the chunk size and the sockets that were asked for. */
    List<Variable> environment(TransportConfig config);

    static Profile named(String name) throws TransportException {
        Profile a3High = new A3HighProfile();
        if (!name.equals(a3High.name())) {
            throw new TransportException("there is no profile " + name + "; there is " + a3High.name());
        }
        return a3High;
    }
}
