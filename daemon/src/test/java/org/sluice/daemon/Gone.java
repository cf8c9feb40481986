package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for what has to come soon. */
final class Gone {
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(30);

    private Gone() {}

    /** Until the daemon has forgotten every client and holds nothing of them. */
    static void clients(Daemon daemon) throws InterruptedException {
        until(() -> daemon.clients().isEmpty() && daemon.buried(), "clients of " + daemon.socket());
    }

    static void until(BooleanSupplier holds, String what) throws InterruptedException {
        long end = System.nanoTime() + LIMIT;
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(end);
            Thread.sleep(2);
        }
    }
}
