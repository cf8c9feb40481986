package org.sluice.tcp.survive;

import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/** How a rail is taken away and given back. */
enum RailFault {
    RECEIVER_DOWN("down at the receiver"),
    SENDER_DOWN("down at the sender"),
    SILENT("silent drop");

    final String text;

    RailFault(String text) {
        this.text = text;
    }

    /** One after the other. */
    static RailFault of(int round) {
        return values()[round % values().length];
    }

    void begin(Namespaces hosts, int nic) throws Exception {
        switch (this) {
            case RECEIVER_DOWN -> hosts.setDown(Host.A, nic);
            case SENDER_DOWN -> hosts.setDown(Host.B, nic);
            case SILENT -> hosts.drop(nic);
        }
    }

    void end(Namespaces hosts, int nic) throws Exception {
        switch (this) {
            case RECEIVER_DOWN -> hosts.setUp(Host.A, nic);
            case SENDER_DOWN -> hosts.setUp(Host.B, nic);
            case SILENT -> hosts.restore(nic);
        }
    }
}
