package org.sluice.peer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.transfer.Agent;
import org.sluice.wire.Deadline;

/**
 * Makes links one by one, any GPU to any GPU: as server for those who come to the node's port, as client to other nodes. Any
 * thread; a call waits up to the deadline.
 */
public final class LinkMaker implements Desk, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LinkMaker.class);

    /** Links of other nodes' that are being made at once: more than a cluster of a hundred nodes of eight GPUs asks for. */
    private static final int MOST_UNDER_WAY = 1024;

    /** Who gets the links that others make. */
    public interface Incoming {
        /** What a link that is about to begin tells. */
        LinkEvents events();

        /** It has begun. @param events what {@link #events} gave for it */
        void made(Orchestrator.Made made, LinkEvents events);
    }

    private final LinkPlan plan;
    private final List<Agent> agents;
    private final Incoming incoming;
    private final Set<LinkAttempt> underWay = ConcurrentHashMap.newKeySet();
    private @Nullable Reception reception;
    private volatile boolean closed;

    public LinkMaker(LinkPlan plan, List<Agent> agents, Incoming incoming) {
        this.plan = plan;
        this.agents = List.copyOf(agents);
        this.incoming = incoming;
    }

    /** @return where it listens now @throws ConfigException when the address cannot be had */
    public synchronized InetSocketAddress listen(InetSocketAddress address) {
        expectOpen();
        Reception here = reception;
        if (here == null) {
            here = new Reception("node-port", plan.reception(), this);
            reception = here;
        }
        try {
            return here.open(address, new Reception.Door.OfNode());
        } catch (IOException e) {
            throw new ConfigException(
                    "node port " + address + " cannot be opened (" + e.getMessage()
                            + "); another program has it, or the address is not this host's",
                    e);
        }
    }

    /** A client of the node port: its link is made here and now, on its own virtual thread. */
    @Override
    public @Nullable String take(LinkRequest request) {
        if (request.gpu() >= agents.size()) {
            return "GPU " + request.gpu() + " does not exist, this node has " + agents.size() + ", from GPU 0";
        }
        if (underWay.size() >= MOST_UNDER_WAY) {
            return "this node makes " + MOST_UNDER_WAY + " links already; try again";
        }
        LinkEvents events = incoming.events();
        LinkAttempt attempt = new LinkAttempt(plan, agents.get(request.gpu()), 0);
        try {
            Orchestrator.Made made = make(attempt, () -> new ServerBootstrap(attempt).answer(request), events);
            incoming.made(made, events);
        } catch (SluiceException e) {
            log.warn(
                    "a link that {} asked for was not made: {}",
                    request.socket().peer(),
                    e.what());
        } catch (RuntimeException | Error e) {
            log.error("a link that {} asked for was not made", request.socket().peer(), e);
        }
        return null;
    }

    /** Makes a link to a node that listens at {@code host:port}. */
    public Orchestrator.Made connect(String host, int port, int localGpu, int remoteGpu, LinkEvents events) {
        if (localGpu < 0 || localGpu >= agents.size()) {
            throw new ConfigException(
                    Where.ofGpu(localGpu), "GPU " + localGpu + " does not exist, this node has " + agents.size());
        }
        LinkAttempt attempt =
                new LinkAttempt(plan, agents.get(localGpu), 0, new LinkAttempt.Destination.NodePort(port, remoteGpu));
        return make(attempt, () -> new ClientBootstrap(attempt).agree(host, Deadline.in(plan.deadline())), events);
    }

    private interface Bootstrap {
        AgreedLink run() throws IOException;
    }

    private Orchestrator.Made make(LinkAttempt attempt, Bootstrap bootstrap, LinkEvents events) {
        underWay.add(attempt);
        try {
            expectOpen(); // after it is in the set: closing finds it there, or it finds that it is closed
            OpenedLink opened = new ChannelOpening(bootstrap.run()).open();
            LinkStart start = new LinkStart(opened);
            LinkSession session = start.start(events);
            try {
                return new Orchestrator.Made(session, LinkReport.of(opened, start.awaitPath(session), session));
            } catch (RuntimeException | Error e) {
                agents.get(attempt.gpu()).execute(session::close);
                throw e;
            }
        } catch (IOException e) {
            attempt.cancel("the link could not be made");
            throw new LinkException(attempt.where(), "during the bootstrap: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            attempt.cancel("the link could not be made");
            throw e;
        } finally {
            underWay.remove(attempt);
        }
    }

    private void expectOpen() {
        if (closed) {
            throw new ClosedException("the node is closed");
        }
    }

    /** Ends what is being made. Idempotent. */
    @Override
    public void close() {
        closed = true;
        Reception here;
        synchronized (this) {
            here = reception;
            reception = null;
        }
        if (here != null) {
            here.close();
        }
        underWay.forEach(m -> m.cancel("the node is closed"));
    }
}
