package org.sluice.peer;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.BootstrapFormat;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.LinkingStep;
import org.sluice.LinkingStep.Phase;
import org.sluice.Where;
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
                    plan.config().network().portBase(),
                    agents.size(),
                    plan.reception(),
                    plan.config().network().bootstrap() == BootstrapFormat.UCCL);
        }
    }

    /**
     * Accepts one client per GPU.
     *
     * @param exclusive whether later clients of these GPUs are refused
     * @param steps told each step
     */
    public List<Made> serve(
            List<Integer> gpus, boolean exclusive, Consumer<LinkingStep> steps, IntFunction<LinkEvents> events) {
        bind();
        BootstrapPorts open = ports();
        List<LinkAttempt> attempts = attempts(gpus, exclusive);
        Duration silence = plan.config().timeouts().peerTimeout();
        // a fifth less than the timeout, so that the failure of all GPUs is out within it
        ClientWait wait = new ClientWait(plan.config().timeouts().clientWait(), silence.minus(silence.dividedBy(5)));
        SideBySide phases = new SideBySide(true, attempts, steps);
        try {
            List<LinkAttempt> listening = phases.run(
                    Phase.LISTEN,
                    attempts,
                    a -> new ServerBootstrap(a).listen(),
                    a -> plan.config().link().channels());
            List<AgreedLink> agreed = phases.run(
                    Phase.BOOTSTRAP,
                    listening,
                    a -> awaitClient(a, open, wait, exclusive),
                    a -> a.rails().size());
            List<OpenedLink> opened = phases.run(
                    Phase.ACCEPT,
                    agreed,
                    a -> new ChannelOpening(a).open(),
                    o -> o.channels().inbound().size());
            List<Made> made = start(opened, events);
            if (exclusive) {
                made.forEach(m -> m.session()
                        .ended()
                        .thenRun(() -> open.release(m.report().gpu())));
            }
            return made;
        } catch (RuntimeException | Error e) {
            attempts.forEach(l -> l.cancel("another GPU failed"));
            if (exclusive) {
                gpus.forEach(open::release);
            }
            throw e;
        }
    }

    private AgreedLink awaitClient(LinkAttempt link, BootstrapPorts open, ClientWait wait, boolean exclusive)
            throws IOException, InterruptedException {
        ServerBootstrap server = new ServerBootstrap(link);
        if (!link.isConfirmed()) {
            return server.answerBare(comeBare(link, wait, open));
        }
        String left = null;
        while (true) {
            LinkRequest request = come(link, left, wait, open, exclusive);
            String peer = request.socket().peer();
            if (exclusive) {
                wait.came(link.gpu(), peer);
            }
            try {
                AgreedLink agreed = server.answer(request);
                if (exclusive) {
                    open.take(link.gpu(), peer); // not sooner: until it has agreed others wait for it to leave
                }
                return agreed;
            } catch (IOException e) {
                // it died or gave up while it waited for its turn: the next may do better
                left = "client " + peer + " left while the link was being made (" + e.getMessage() + ")";
                log.info("GPU {}: {}", link.gpu(), left);
                link.forgetPeer();
                request.socket().close();
            }
        }
    }

    /** @param before who came before and went, null for nobody */
    private LinkRequest come(
            LinkAttempt link, @Nullable String before, ClientWait wait, BootstrapPorts open, boolean exclusive)
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

    private SocketChannel comeBare(LinkAttempt link, ClientWait wait, BootstrapPorts open) throws InterruptedException {
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
    private void expectTime(LinkAttempt link, @Nullable String left, ClientWait wait) {
        link.checkAgent();
        if (wait.isOver()) {
            throw new LinkException(
                    ErrorCode.UNREACHABLE,
                    Where.ofGpu(link.gpu()).phase(Where.Phase.BOOTSTRAP),
                    wait.why(plan.config().network().portBase() + link.gpu(), left));
        }
    }

    /**
     * Connects these GPUs to those of the same number on {@code host}.
     *
     * @param all whether they are all that this side has, and all that the other is to have
     */
    public List<Made> connect(
            List<Integer> gpus, boolean all, String host, Consumer<LinkingStep> steps, IntFunction<LinkEvents> events) {
        List<LinkAttempt> attempts = attempts(gpus, all);
        Deadline deadline = Deadline.in(plan.deadline());
        SideBySide phases = new SideBySide(false, attempts, steps);
        try {
            List<AgreedLink> agreed = phases.run(
                    Phase.BOOTSTRAP,
                    attempts,
                    a -> agree(a, host, deadline),
                    a -> a.rails().size());
            List<OpenedLink> opened = phases.run(
                    Phase.CONNECT,
                    agreed,
                    a -> new ChannelOpening(a).open(),
                    o -> o.channels().outbound().size());
            return start(opened, events);
        } catch (RuntimeException | Error e) {
            attempts.forEach(l -> l.cancel("another GPU failed"));
            throw e;
        }
    }

    private static AgreedLink agree(LinkAttempt attempt, String host, Deadline deadline) throws IOException {
        ClientBootstrap client = new ClientBootstrap(attempt);
        return attempt.isConfirmed() ? client.agree(host, deadline) : client.agreeBare(host, deadline);
    }

    private synchronized BootstrapPorts ports() {
        if (ports == null) {
            throw new IllegalStateException("not bound");
        }
        return ports;
    }

    private List<LinkAttempt> attempts(List<Integer> gpus, boolean all) {
        List<LinkAttempt> attempts = new ArrayList<>();
        for (int g : gpus) {
            if (g < 0 || g >= agents.size()) {
                throw new ConfigException(Where.ofGpu(g), "there is no such GPU, this node has " + agents.size());
            }
            attempts.add(new LinkAttempt(plan, agents.get(g), all ? gpus.size() : 0));
        }
        return attempts;
    }

    private List<Made> start(List<OpenedLink> links, IntFunction<LinkEvents> events) {
        List<LinkStart> starts = links.stream().map(LinkStart::new).toList();
        List<LinkSession> sessions = new ArrayList<>();
        try {
            for (int i = 0; i < links.size(); i++) {
                sessions.add(start(links.get(i), starts.get(i), events.apply(i)));
            }
            List<Made> made = new ArrayList<>();
            for (int i = 0; i < links.size(); i++) {
                LinkSession session = sessions.get(i);
                made.add(new Made(
                        session, LinkReport.of(links.get(i), starts.get(i).awaitPath(session), session)));
            }
            return made;
        } catch (RuntimeException | Error e) {
            // links that have begun, where another could not
            for (int i = 0; i < sessions.size(); i++) {
                links.get(i).attempt().agent().execute(sessions.get(i)::close);
            }
            throw e;
        }
    }

    private static LinkSession start(OpenedLink link, LinkStart start, LinkEvents events) {
        try {
            return start.start(events);
        } catch (IOException e) {
            throw new LinkException(link.attempt().where(), e.getMessage(), e);
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
