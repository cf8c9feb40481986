package org.sluice.cli.common;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import org.sluice.ConfigException;

/** Looks for ports in a row that nobody listens on, below the range that the kernel gives to outgoing connections. */
public final class FreePorts {
    private static final int LOWEST = 20000;

    /** Linux's default {@code ip_local_port_range} begins here. */
    private static final int BEYOND = 32768;

    private static final int TRIES = 50;

    private FreePorts() {}

    /** @return the first of {@code count} ports, where a server may still find that somebody was faster */
    public static int inARow(int count) {
        for (int i = 0; i < TRIES; i++) {
            int base = ThreadLocalRandom.current().nextInt(LOWEST, BEYOND - count);
            if (allFree(base, count)) {
                return base;
            }
        }
        throw new ConfigException("no " + count + " free ports in a row found from " + LOWEST + " to " + BEYOND
                + "; choose some with --port");
    }

    private static boolean allFree(int base, int count) {
        for (int port = base; port < base + count; port++) {
            try (ServerSocket probe = new ServerSocket()) {
                probe.bind(new InetSocketAddress(port));
            } catch (IOException e) {
                return false;
            }
        }
        return true;
    }
}
