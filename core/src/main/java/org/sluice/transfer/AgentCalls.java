package org.sluice.transfer;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;

/** What others have an agent do for them and wait for: each call ends, in whatever way. Any thread may use it. */
final class AgentCalls {
    private final Agent agent;

    AgentCalls(Agent agent) {
        this.agent = agent;
    }

    <T> CompletableFuture<T> call(String what, Callable<T> command, Duration limit, Consumer<? super T> late) {
        return call(what, command, limit, late, CompletableFuture::completeExceptionally);
    }

    private <T> CompletableFuture<T> call(
            String what,
            Callable<T> command,
            Duration limit,
            Consumer<? super T> late,
            BiConsumer<CompletableFuture<T>, SluiceException> otherwise) {
        if (agent.isCurrentThread()) {
            throw new IllegalStateException(
                    agent.threadName() + " would wait for itself; do not call this where a transfer's end is told");
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        Future<?> watch = agent.timer().in(limit, () -> result.completeExceptionally(hangs(what, limit)));
        result.whenComplete((value, error) -> watch.cancel(false));
        agent.execute(
                () -> {
                    if (result.isDone()) {
                        return; // given up before it began
                    }
                    try {
                        T value = command.call();
                        if (!result.complete(value)) {
                            late.accept(value);
                        }
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                },
                why -> otherwise.accept(result, why));
        return result;
    }

    private SluiceException hangs(String what, Duration limit) {
        return new LinkException(
                ErrorCode.AGENT_HANGS,
                agent.where(),
                "it was asked for " + what + " and has not answered within " + limit.toMillis() + " ms: "
                        + agent.doing() + "; that call is left to itself, and what it holds is not freed");
    }

    CompletableFuture<Void> release(String what, Runnable free, Duration limit) {
        Callable<Void> freeing = () -> {
            free.run();
            return null;
        };
        return call(what, freeing, limit, late -> {}, (result, why) -> {
            if (why.code() == ErrorCode.AGENT_ENDED) {
                freeHere(free, result);
            } else {
                result.completeExceptionally(why);
            }
        });
    }

    private void freeHere(Runnable free, CompletableFuture<Void> result) {
        try {
            agent.onGpuOfTheEnded(free);
            result.complete(null);
        } catch (Throwable e) {
            result.completeExceptionally(e);
        }
    }
}
