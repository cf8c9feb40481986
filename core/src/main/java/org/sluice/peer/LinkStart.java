package org.sluice.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sluice.LinkException;
import org.sluice.LinkPath;
import org.sluice.Notification;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PeerId;
import org.sluice.transfer.Agent;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkControl;
import org.sluice.transfer.LinkEngine;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSeal;
import org.sluice.wire.LinkKey;
import org.sluice.wire.MovableStream;
import org.sluice.wire.NodeIdentity;

/** From a link whose channels are open to one at work. */
final class LinkStart {
    /** Addresses of the server's that are tried for a control connection whose own has gone silent. */
    private static final int MOST_WAYS = 16;

    /** So many peer timeouts for the first word of a peer that has agreed to a link. */
    private static final int FIRST_WORD_TIMEOUTS = 4;

    private final OpenedLink opened;
    private final AgreedLink agreed;
    private final LinkAttempt attempt;
    private final LinkPlan plan;
    private final Agent agent;
    private final Where where;

    LinkStart(OpenedLink opened) {
        this.opened = opened;
        this.agreed = opened.agreed();
        this.attempt = opened.attempt();
        this.plan = attempt.plan();
        this.agent = attempt.agent();
        attempt.phase(Where.Phase.LINKED);
        this.where = attempt.where();
    }

    LinkSession start(LinkEvents events) throws IOException {
        LinkSession session = attempt.onAgent(() -> switch (agreed.partner()) {
            case Partner.Named named -> controlled(named, events);
            case Partner.Unnamed _ -> bare(events);
        });
        if (agreed.partner() instanceof Partner.Unnamed) {
            agreed.socket().close();
        }
        return session;
    }

    /** Without a control connection. */
    private LinkSession bare(LinkEvents events) throws IOException {
        LinkRegions regions = regions();
        LinkEngine engine = engine(NoControl.INSTANCE, regions, null, events);
        return begun(new LinkSession(
                agent,
                engine,
                null,
                null,
                attempt.manager(),
                opened.channels(),
                !plan.transport().ringsDoorbell(),
                where,
                agreed.socket().peer(),
                this::looksAlone,
                events));
    }

    /** Without a control connection there are no heartbeats; the agent is looked at as often. */
    private Runnable looksAlone(Runnable look) {
        Future<?> looking = agent.timer()
                .every(Duration.ofNanos(PeerPulse.beat(plan.config().timeouts().peerTimeout())), look);
        return () -> looking.cancel(false);
    }

    private LinkSession controlled(Partner.Named partner, LinkEvents events) throws IOException {
        MovableStream stream = new MovableStream(agreed.socket().stream(), where);
        LinkKey key = partner.key();
        // TLS seals every frame; without it a link key seals those that carry a program's bytes
        FrameSeal seal = key == null || plan.tls() != null ? null : new FrameSeal(key, !agreed.server(), where);
        ControlConnection control = new ControlConnection(stream, where, seal, System.nanoTime());
        LinkSharing sharing = sharing(control);
        LinkRegions regions = regions();
        LinkEngine engine = engine(new ToPeer(control, seal != null || plan.tls() != null), regions, sharing, events);
        ChannelRepair repair = new ChannelRepair(
                engine,
                control,
                plan.transport(),
                attempt.manager(),
                agreed.devices(),
                agreed::railWorks,
                opened.channels(),
                plan.deadline(),
                where);
        LinkPulse pulse = new LinkPulse(control, attempt.manager().bell());
        LinkSession session = begun(new LinkSession(
                agent,
                engine,
                new ControlPlane(
                        control,
                        pulse,
                        way(partner, stream),
                        repair,
                        new ProgramWords(control, regions, events, where),
                        plan.config().timeouts().peerTimeout(),
                        firstWord(),
                        where),
                sharing,
                attempt.manager(),
                opened.channels(),
                !plan.transport().ringsDoorbell(),
                where,
                agreed.socket().peer(),
                look -> {
                    NodeIdentity node = partner.node();
                    plan.pulses().join(new PeerId(node.idHigh(), node.idLow()), agent.timer(), pulse, look);
                    return () -> plan.pulses().leave(pulse);
                },
                events));
        partner.rails().ifPresent(lease -> {
            attempt.settled(lease.undo());
            session.ended().thenRun(lease::release);
        });
        return session;
    }

    /** A node that a thousand others link at once begins its end late; one that has died is not to be waited for much longer. */
    private Duration firstWord() {
        Duration longest = plan.config().timeouts().peerTimeout().multipliedBy(FIRST_WORD_TIMEOUTS);
        return longest.compareTo(plan.deadline()) < 0 ? longest : plan.deadline();
    }

    private LinkRegions regions() {
        return new LinkRegions(plan.regions().get(attempt.gpu()));
    }

    private LinkEngine engine(
            LinkControl control, LinkRegions regions, @Nullable LinkSharing sharing, LinkEvents events) {
        ChannelManager.Channels made = opened.channels();
        return new LinkEngine(
                agreed.settings(),
                control,
                regions,
                made.outbound().size(),
                made.inbound().size(),
                made.inbound().stream()
                        .map(InboundEnd::unpack)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElse(null),
                agent.pieces(),
                (bytes, tag, length) -> events.notified(new Notification(bytes, tag, length)),
                sharing);
    }

    /** It has its channels now; those without a rail are lost from the beginning. */
    private LinkSession begun(LinkSession session) {
        attempt.manager().taken();
        LinkEngine engine = session.engine();
        int out = opened.channels().outbound().size();
        int in = opened.channels().inbound().size();
        agreed.lost().stream().forEach(c -> {
            String why = "its rail does not work yet";
            if (c < out) {
                engine.withoutRail(true, c, why);
            }
            if (c < in) {
                engine.withoutRail(false, c, why);
            }
        });
        return session;
    }

    /** The memory that both ends share, where they may; agent thread only. */
    private @Nullable LinkSharing sharing(ControlConnection control) {
        NodeSharing node = plan.sharing();
        MemorySharing memory = agent.gpu().sharing().orElse(null);
        if (node == null || memory == null || !whyNotShared(node).isEmpty()) {
            return null;
        }
        return new LinkSharing(
                agent, memory, node, control, agreed.server(), agreed.socket().peer(), plan.deadline(), where);
    }

    private String whyNotShared(NodeSharing node) {
        if (agent.gpu().sharing().isEmpty()) {
            return "GPU " + attempt.gpu() + " cannot share its memory";
        }
        return switch (agreed.partner()) {
            case Partner.Named p -> node.whyNot(plan.rails().self(), p.node());
            case Partner.Unnamed _ -> "the uccl bootstrap does not say who the peer is";
        };
    }

    /** Waits until it is known whether memory is shared. @throws LinkException when it is not, and has to be */
    LinkPath awaitPath(LinkSession session) {
        NodeSharing node = plan.sharing();
        if (node == null) {
            return new LinkPath(plan.transport().name(), "");
        }
        LinkSharing sharing = session.sharing();
        String why =
                sharing == null ? whyNotShared(node) : attempt.get(sharing.decided(), Deadline.in(plan.deadline()));
        if (why.isEmpty()) {
            return new LinkPath(
                    node.transport().name(),
                    "the peer is on this host, and each side has copied from the other's memory");
        }
        SluiceException ended = session.ended().getNow(null);
        if (ended != null) {
            throw ended;
        }
        if (node.isDemanded()) {
            throw new LinkException(
                    where, "transport " + node.transport().name() + " was demanded and cannot be used: " + why);
        }
        return new LinkPath(plan.transport().name(), node.transport().name() + " is not used: " + why);
    }

    /** The control connection's way; the client knows the server's other NICs, and looks for another over them. */
    private ControlWay way(Partner.Named partner, MovableStream stream) throws IOException {
        ControlMove move = agreed.server() || BootstrapChecks.isThisHost(stream.socket())
                ? null
                : new ControlMove(
                        agent,
                        plan.tls(),
                        plan.secret(),
                        partner.introduction(),
                        addresses(partner),
                        attempt.destination().port(),
                        where);
        return new ControlWay(agent, stream, partner.introduction(), plan.resumptions(), move, where);
    }

    private static List<InetAddress> addresses(Partner.Named partner) {
        return partner.nics().stream()
                .flatMap(n -> IntStream.range(0, n.addresses().size()).mapToObj(n::literal))
                .distinct()
                .limit(MOST_WAYS)
                .map(InetAddress::ofLiteral)
                .toList();
    }
}
