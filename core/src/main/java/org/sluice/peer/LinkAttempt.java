package org.sluice.peer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.sluice.BootstrapFormat;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.transfer.Agent;
import org.sluice.transfer.EngineSettings;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.Rail;

/**
 * One link that is to be made, whatever its {@linkplain LinkStage stage}: for which GPU, where to, and how it is given up. The
 * steps that lead from stage to stage wait; none waits beyond the deadline.
 */
final class LinkAttempt implements LinkStage {
    private final LinkPlan plan;
    private final Agent agent;
    private final int together;
    private final int gpu;
    private final ChannelManager manager;
    private final Destination destination;

    /** What giving up gives back. Guarded by this. */
    private final List<Runnable> undoing = new ArrayList<>();

    private volatile Where.Phase phase = Where.Phase.BOOTSTRAP;
    private volatile String peer = "unknown";
    private volatile boolean cancelled;

    /** Where a client goes to: the port of one GPU, or the port of a whole node, where it says which GPU it wants. */
    sealed interface Destination {
        int port();

        record GpuPort(int port) implements Destination {}

        record NodePort(int port, int gpu) implements Destination {}
    }

    /** @param together how many links stand or fall together, one for each GPU of the node; 0 for one that is made alone */
    LinkAttempt(LinkPlan plan, Agent agent, int together) {
        this(
                plan,
                agent,
                together,
                new Destination.GpuPort(
                        plan.config().network().portBase() + agent.gpu().id()));
    }

    LinkAttempt(LinkPlan plan, Agent agent, int together, Destination destination) {
        this.plan = plan;
        this.together = together;
        this.agent = agent;
        this.destination = destination;
        this.gpu = agent.gpu().id();
        this.manager = new ChannelManager(
                agent,
                plan.transport(),
                plan.chunkBytes(),
                plan.stagingSlots(),
                plan.config().instrumented());
    }

    @Override
    public LinkAttempt attempt() {
        return this;
    }

    LinkPlan plan() {
        return plan;
    }

    Agent agent() {
        return agent;
    }

    int gpu() {
        return gpu;
    }

    int together() {
        return together;
    }

    ChannelManager manager() {
        return manager;
    }

    Destination destination() {
        return destination;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** The name of a NIC of this node's. */
    String nic(int device) {
        return plan.transport().devices().get(device).name();
    }

    void phase(Where.Phase now) {
        phase = now;
    }

    /** Whether the bootstrap is Sluice's, with a control connection. */
    boolean isConfirmed() {
        return plan.config().network().bootstrap() == BootstrapFormat.SLUICE;
    }

    /** Without a word about the peer's NICs: each side its own in turn, which meets where both name them in the same order. */
    List<Rail> ownSpread(int count) {
        int nics = plan.transport().devices().size();
        return IntStream.range(0, count)
                .mapToObj(c -> new Rail((c + gpu) % nics, (c + gpu) % nics, 0, 0))
                .toList();
    }

    /** What both sides' data planes go by. */
    EngineSettings settings(long chunk, boolean roundRobin, int window) {
        // without a control connection a link cannot do without a rail: it waits for each
        long stall = isConfirmed() ? plan.config().timeouts().stallTimeout().toNanos() : 0;
        int small = plan.config().link().smallBytes();
        return new EngineSettings(
                chunk, roundRobin, window, Math.min(window, plan.sendWindow()), stall, isConfirmed(), small, where());
    }

    // --- messages
    // -------------------------------------------------------------------------------------------------------

    /** The place without the peer: who throws on its connection names it, and it may be closed by now. */
    Where place() {
        return Where.ofGpu(gpu).phase(phase);
    }

    /** The link as messages name it. */
    Where where() {
        return place().peer(peer);
    }

    /** From now on messages say which GPU of the peer's it is. */
    void peersGpu(FrameSocket socket, int number) {
        peer = socket.peer() + " (its GPU " + number + ")";
    }

    // --- giving up
    // ------------------------------------------------------------------------------------------------------

    /** It is with this peer: who gives up closes the connection. */
    void with(FrameSocket socket) {
        peer = socket.peer();
        orElse(() -> {
            try {
                socket.close();
            } catch (IOException e) {
                // being dropped
            }
        });
    }

    /** The client left before the link was made: what it said counts no more, and the next one begins anew. */
    synchronized void forgetPeer() {
        peer = "unknown";
        undoing.clear();
    }

    /** Undone by who gives up; now, where that has happened already. */
    void orElse(Runnable undo) {
        synchronized (this) {
            if (!cancelled) {
                undoing.add(undo);
                return;
            }
        }
        undo.run();
    }

    /** A link has it now. */
    synchronized void settled(Runnable undo) {
        undoing.remove(undo);
    }

    /** Gives up: from any thread, at any stage. Idempotent. */
    void cancel(String why) {
        List<Runnable> all;
        synchronized (this) {
            cancelled = true;
            all = List.copyOf(undoing);
            undoing.clear();
        }
        all.forEach(Runnable::run);
        agent.execute(() -> manager.cancel(why));
    }

    // --- the agent
    // ------------------------------------------------------------------------------------------------------

    /** Throws why the agent has ended, where it has: nobody else would tell a server that waits for a client. */
    void checkAgent() {
        SluiceException why = agent.endedBecause();
        if (why != null) {
            throw why;
        }
    }

    void onAgent(Runnable step) {
        onAgent(() -> {
            step.run();
            return true;
        });
    }

    <T> T onAgent(Callable<T> step) {
        return get(agent.call("a step of making the link", step), Deadline.in(plan.deadline()));
    }

    <T> T get(CompletableFuture<T> future, Deadline deadline) {
        try {
            // the step has the deadline itself; the second more is for an agent that hangs inside a plugin
            return future.get(deadline.remainingMillis() + 1000L, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable c = cause(e);
            if (c instanceof RuntimeException r) {
                throw r;
            }
            throw new LinkException(where(), c.getMessage(), c);
        } catch (TimeoutException e) {
            throw new LinkException(
                    ErrorCode.AGENT_HANGS,
                    where(),
                    "the agent did not answer within " + deadline.text() + "; a plugin or driver call may hang",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, where(), "interrupted", e);
        }
    }

    static Throwable cause(Throwable e) {
        Throwable c = e;
        while ((c instanceof ExecutionException || c instanceof CompletionException) && c.getCause() != null) {
            c = c.getCause();
        }
        return c;
    }
}
