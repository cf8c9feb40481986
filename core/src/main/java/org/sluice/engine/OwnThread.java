package org.sluice.engine;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.sluice.spi.Gpu;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;

/** Calls of a driver that may take long, or hang: on a thread of their own, bound to the GPU, so that nobody else waits for them. */
final class OwnThread {
    private OwnThread() {}

    static <T> CompletableFuture<T> on(Gpu gpu, String what, Callable<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            Threads.start(Thread.ofPlatform()
                    .daemon(true)
                    .name("gpu" + gpu.id() + "-" + what)
                    .unstarted(() -> {
                        try {
                            gpu.bindThread();
                            result.complete(call.call());
                        } catch (Throwable e) {
                            result.completeExceptionally(e);
                        }
                    }));
        } catch (ThreadLimitException e) {
            result.completeExceptionally(e);
        }
        return result;
    }
}
