package org.sluice.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Where;

/** Waits for what always completes: an agent's answer, or why there is none. */
final class Answers {
    private Answers() {}

    static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException r) {
                throw r;
            }
            throw new LinkException(ErrorCode.INTERNAL, Where.NOWHERE, "internal error: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, Where.NOWHERE, "interrupted", e);
        }
    }
}
