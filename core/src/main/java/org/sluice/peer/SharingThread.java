package org.sluice.peer;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.Gpu;

/**
 * Where a link opens and closes the peer's memory, one after the other: a driver may take long over that, or hang. There while there is
 * something to do, and bound to the link's GPU.
 */
final class SharingThread {
    private static final Logger log = LoggerFactory.getLogger(SharingThread.class);

    private final Gpu gpu;
    private final ThreadPoolExecutor thread;

    SharingThread(Gpu gpu) {
        this.gpu = gpu;
        this.thread = new ThreadPoolExecutor(
                1,
                1,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                run -> Thread.ofPlatform()
                        .name("gpu" + gpu.id() + "-sharing")
                        .daemon(true)
                        .unstarted(run));
        thread.allowCoreThreadTimeOut(true);
    }

    /** @return false where nothing is done any more, or the machine gives no thread */
    boolean run(Runnable task) {
        if (thread.isShutdown()) {
            return false;
        }
        try {
            thread.execute(() -> {
                try {
                    gpu.bindThread();
                    task.run();
                } catch (Throwable e) {
                    log.error("gpu{}-sharing: {}", gpu.id(), e.toString(), e);
                }
            });
            return true;
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            log.warn("gpu{}-sharing: cannot begin: {}", gpu.id(), e.toString());
            return false;
        }
    }

    /** After what is there nothing is begun. */
    void end() {
        thread.shutdown();
    }
}
