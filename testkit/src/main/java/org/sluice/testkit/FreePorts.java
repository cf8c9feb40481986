package org.sluice.testkit;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for a node's bootstrap: so many in a row that were free a moment ago, below those that the kernel hands out. */
public final class FreePorts {
    private FreePorts() {}

    /** The first of them. */
    public static int block(int count) {
        for (int attempt = 0; attempt < 1000; attempt++) {
            int base = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            int free = 0;
            while (free < count && isFree(base + free)) {
                free++;
            }
            if (free == count) {
                return base;
            }
        }
        throw new IllegalStateException("no " + count + " free ports in a row");
    }

    private static boolean isFree(int port) {
        try (ServerSocket s = new ServerSocket()) {
            s.bind(new InetSocketAddress(port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
