package org.sluice.peer;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.BootstrapFormat;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.LinkingStep;
import org.sluice.LinkingStep.Phase;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;
import org.sluice.stats.PhaseEvent;
import org.sluice.transfer.Agent;
import org.sluice.wire.Deadline;

/**
 * Makes links for several GPUs in phases: server listen, bootstrap, accept; client bootstrap, connect. The GPUs of a phase
 * progress side by side, a phase begins when the one before is done for all, and the first failure ends the whole.
 */
public final class Orchestrator implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Orchestrator.class);

    /** Between looks at what other GPUs' threads have met. */
    private static final Duration LOOK = Duration.ofMillis(50);

    /** For the steps of other GPUs to end once one has failed: each has a deadline, but for what hangs. */
    private static final Duration LEAVE = Duration.ofSeconds(2);

    private final LinkPlan plan;
    private final List<Agent> agents;
    private @Nullable BootstrapPorts ports;

    public Orchestrator(LinkPlan plan, List<Agent> agents) {
        this.plan = plan;
        this.agents = List.copyOf(agents);
    }

    /** A link that is up. */
    public record Made(LinkSession session, LinkReport report) {}

    /** Opens the bootstrap ports of every GPU. Idempotent. @throws ConfigException when one is taken */
    public synchronized void bind() {
        if (ports == null) {
            ports = new BootstrapPorts(
                    plan.config().portBase(),
                    agents.size(),
                    plan.reception(),
                    plan.config().bootstrap() == BootstrapFormat.UCCL);
        }
    }

    /**
     * Accepts one client per GPU.
     *
     * @param exclusive whether later clients of these GPUs are refused
     * @param steps told each step
     */
    public List<Made> serve(
            List<Integer> gpus,
            boolean exclusive,
            Consumer<LinkingStep> steps,
            IntFunction<LinkSession.Events> events) {
        bind();
        BootstrapPorts open = ports();
        List<LinkMaking> links = links(gpus, exclusive);
        Duration silence = plan.config().peerTimeout();
        // a fifth less than the timeout, so that the failure of all GPUs is out within it
        ClientWait wait = new ClientWait(plan.config().clientWait(), silence.minus(silence.dividedBy(5)));
        try {
            each(true, Phase.LISTEN, links, LinkMaking::listen, LinkMaking::channelCount, steps);
            each(
                    true,
                    Phase.BOOTSTRAP,
                    links,
                    l -> awaitClient(l, open, wait, exclusive),
                    LinkMaking::channelCount,
                    steps);
            each(
                    true,
                    Phase.ACCEPT,
                    links,
                    LinkMaking::openChannels,
                    l -> l.channels().inbound().size(),
                    steps);
            List<Made> made = start(links, events);
            if (exclusive) {
                made.forEach(m -> m.session()
                        .ended()
                        .thenRun(() -> open.release(m.report().gpu())));
            }
            return made;
        } catch (RuntimeException | Error e) {
            links.forEach(l -> l.cancel("another GPU failed"));
            if (exclusive) {
                gpus.forEach(open::release);
            }
            throw e;
        }
    }

    private void awaitClient(LinkMaking link, BootstrapPorts open, ClientWait wait, boolean exclusive)
            throws IOException, InterruptedException {
        if (plan.config().bootstrap() == BootstrapFormat.UCCL) {
            link.answerBare(comeBare(link, wait, open));
            return;
        }
        String left = null;
        while (true) {
            LinkRequest request = come(link, left, wait, open, exclusive);
            String peer = request.socket().peer();
            if (exclusive) {
                wait.came(link.gpu(), peer);
                open.take(link.gpu(), peer);
            }
            try {
                link.answer(request);
                return;
            } catch (IOException e) {
                // it died or gave up while it waited for its turn: the next may do better
                left = "client " + peer + " left while the link was being made (" + e.getMessage() + ")";
                log.info("GPU {}: {}", link.gpu(), left);
                link.forgetClient();
                request.socket().close();
                open.release(link.gpu());
            }
        }
    }

    /** @param before who came before and went, null for nobody */
    private LinkRequest come(
            LinkMaking link, @Nullable String before, ClientWait wait, BootstrapPorts open, boolean exclusive)
            throws InterruptedException {
        String left = before;
        while (true) {
            LinkRequest client = open.await(link.gpu(), step(wait));
            if (client != null) {
                return client;
            }
            BootstrapPorts.Departure departure = open.departed(link.gpu());
            if (departure != null) {
                left = "client " + departure.peer() + " left while it looked for rails (" + departure.why() + ")";
                log.info("GPU {}: {}", link.gpu(), left);
                if (exclusive) {
                    wait.came(link.gpu(), departure.peer());
                }
            }
            expectTime(link, left, wait);
        }
    }

    private SocketChannel comeBare(LinkMaking link, ClientWait wait, BootstrapPorts open) throws InterruptedException {
        while (true) {
            SocketChannel client = open.awaitBare(link.gpu(), step(wait));
            if (client != null) {
                return client;
            }
            expectTime(link, null, wait);
        }
    }

    /** Clients are waited for in steps, since what comes for another GPU may shorten the wait. */
    private static Duration step(ClientWait wait) {
        return Duration.ofMillis(Math.min(wait.remainingMillis(), LOOK.toMillis()));
    }

    /** @throws LinkException when the wait is over, or the agent has ended */
    private void expectTime(LinkMaking link, @Nullable String left, ClientWait wait) {
        link.checkAgent();
        if (wait.isOver()) {
            throw new LinkException(
                    ErrorCode.UNREACHABLE,
                    Where.ofGpu(link.gpu()).phase(Where.Phase.BOOTSTRAP),
                    wait.why(plan.config().portBase() + link.gpu(), left));
        }
    }

    /**
     * Connects these GPUs to those of the same number on {@code host}.
     *
     * @param all whether they are all that this side has, and all that the other is to have
     */
    public List<Made> connect(
            List<Integer> gpus,
            boolean all,
            String host,
            Consumer<LinkingStep> steps,
            IntFunction<LinkSession.Events> events) {
        List<LinkMaking> links = links(gpus, all);
        Deadline deadline = Deadline.in(plan.deadline());
        boolean bare = plan.config().bootstrap() == BootstrapFormat.UCCL;
        try {
            each(
                    false,
                    Phase.BOOTSTRAP,
                    links,
                    l -> {
                        if (bare) {
                            l.offerBare(host, deadline);
                        } else {
                            l.offer(host, deadline);
                        }
                    },
                    LinkMaking::channelCount,
                    steps);
            each(
                    false,
                    Phase.CONNECT,
                    links,
                    LinkMaking::openChannels,
                    l -> l.channels().outbound().size(),
                    steps);
            return start(links, events);
        } catch (RuntimeException | Error e) {
            links.forEach(l -> l.cancel("another GPU failed"));
            throw e;
        }
    }

    private synchronized BootstrapPorts ports() {
        if (ports == null) {
            throw new IllegalStateException("not bound");
        }
        return ports;
    }

    private List<LinkMaking> links(List<Integer> gpus, boolean all) {
        List<LinkMaking> links = new ArrayList<>();
        for (int g : gpus) {
            if (g < 0 || g >= agents.size()) {
                throw new ConfigException(Where.ofGpu(g), "there is no such GPU, this node has " + agents.size());
            }
            links.add(new LinkMaking(plan, agents.get(g), all ? gpus.size() : 0));
        }
        return links;
    }

    private List<Made> start(List<LinkMaking> links, IntFunction<LinkSession.Events> events) {
        List<LinkSession> sessions = new ArrayList<>();
        for (int i = 0; i < links.size(); i++) {
            LinkMaking l = links.get(i);
            try {
                sessions.add(l.start(events.apply(i)));
            } catch (RuntimeException | Error e) {
                end(links, sessions);
                throw e;
            } catch (IOException e) {
                end(links, sessions);
                throw new LinkException(l.where(), e.getMessage(), e);
            }
        }
        List<Made> made = new ArrayList<>();
        try {
            for (int i = 0; i < sessions.size(); i++) {
                made.add(new Made(sessions.get(i), LinkReport.of(links.get(i), sessions.get(i))));
            }
        } catch (RuntimeException | Error e) {
            end(links, sessions);
            throw e;
        }
        return made;
    }

    /** Links that have begun, where another could not. */
    private void end(List<LinkMaking> links, List<LinkSession> sessions) {
        for (int i = 0; i < sessions.size(); i++) {
            agents.get(links.get(i).gpu()).execute(sessions.get(i)::close);
        }
    }

    private interface Step {
        void run(LinkMaking link) throws IOException, InterruptedException;
    }

    /** One phase: the step for each GPU on a thread of its own; each is told in order. */
    private static void each(
            boolean server,
            Phase phase,
            List<LinkMaking> links,
            Step step,
            ToIntFunction<LinkMaking> channels,
            Consumer<LinkingStep> steps) {
        steps.accept(new LinkingStep.Begun(server, phase));
        AtomicReference<RuntimeException> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (LinkMaking l : links) {
            Thread thread = Thread.ofPlatform()
                    .name("gpu" + l.gpu() + "-bootstrap")
                    .daemon(true)
                    .unstarted(() -> run(phase, l, step, failure, links));
            try {
                threads.add(Threads.start(thread));
            } catch (ThreadLimitException e) {
                fail(failure, failed(l, e), links);
                break;
            }
        }
        try {
            for (int i = 0; i < threads.size(); i++) {
                Deadline end = Deadline.in(LEAVE);
                while (!threads.get(i).join(LOOK)) {
                    if (failure.get() == null) {
                        end = Deadline.in(LEAVE);
                    } else if (end.passed()) {
                        log.warn(
                                "{} does not come back from its step and is left behind",
                                threads.get(i).getName());
                        break;
                    } else {
                        threads.forEach(Thread::interrupt); // those who wait for a client would wait on
                    }
                }
                if (failure.get() == null) {
                    LinkMaking l = links.get(i);
                    steps.accept(new LinkingStep.GpuDone(server, phase, l.gpu(), channels.applyAsInt(l)));
                }
            }
        } catch (InterruptedException e) {
            threads.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
            throw new ClosedException(
                    ErrorCode.INTERRUPTED,
                    Where.NOWHERE.phase(Where.Phase.BOOTSTRAP),
                    "interrupted while links were being made",
                    e);
        }
        RuntimeException first = failure.get();
        if (first != null) {
            throw first;
        }
        steps.accept(new LinkingStep.Ended(server, phase));
    }

    private static void run(
            Phase phase,
            LinkMaking link,
            Step step,
            AtomicReference<RuntimeException> failure,
            List<LinkMaking> links) {
        PhaseEvent event = new PhaseEvent(phase.name().toLowerCase(Locale.ROOT), link.gpu());
        event.begin();
        try {
            step.run(link);
            event.commit();
        } catch (Throwable e) {
            if (failure.get() == null) {
                fail(failure, failed(link, e), links);
            }
        }
    }

    /** Why a step failed; whatever it threw, nobody may take it for done. */
    private static SluiceException failed(LinkMaking link, Throwable why) {
        return switch (why) {
            case SluiceException s -> s.at(link.place());
            case IOException e -> new LinkException(link.where(), "during the bootstrap: " + e.getMessage(), e);
            case InterruptedException e -> new ClosedException(ErrorCode.INTERRUPTED, link.where(), "interrupted", e);
            case ThreadLimitException e ->
                new LinkException(ErrorCode.RESOURCES, link.place(), String.valueOf(e.getMessage()), e);
            default -> new LinkException(ErrorCode.INTERNAL, link.place(), "internal error: " + why, why);
        };
    }

    private static void fail(AtomicReference<RuntimeException> failure, RuntimeException e, List<LinkMaking> links) {
        if (failure.compareAndSet(null, e)) {
            links.forEach(l -> l.cancel(String.valueOf(e.getMessage())));
        }
    }

    @Override
    public synchronized void close() {
        if (ports != null) {
            ports.close();
            ports = null;
        }
    }
}
