package org.sluice.cli.matrix;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.Peer;
import org.sluice.SluiceException;
import org.sluice.rendezvous.Group;

/** One rank's part: does what rank 0 orders and tells what it saw, until the end. One thread. */
final class Player {
    private static final Logger log = LoggerFactory.getLogger(Player.class);

    private static final String YOUR_TURN = "your turn";
    private static final String DONE = "done";

    private final Node node;
    private final Group group;
    private final Inbox inbox = new Inbox();

    Player(Node node, Group group) {
        this.node = node;
        this.group = group;
        node.onLink(inbox::take);
    }

    /** @return the last order, with the exit status of all */
    Order play(MatrixReport.Member self) {
        // the first step may be a long one: GPUs are opened and memory is filled
        Plan plan = Plan.decode(
                group.meet(Words.of(self), node.config().timeouts().deadline().multipliedBy(4)));
        Duration atMost = plan.atMost()
                .multipliedBy(3)
                .plus(node.config().timeouts().deadline().multipliedBy(3));
        try (Memory memory = new Memory(node, group.rank(), plan);
                Crowd crowd = new Crowd(plan, memory, group.members().size())) {
            List<Sight> seen = List.of();
            while (true) {
                Order order = Words.order(group.meet(Words.of(seen), atMost));
                seen = switch (order.kind()) {
                    case ROUND -> round(order, plan, memory).stream().toList();
                    case LINK_ALL -> link(crowd, plan, memory);
                    case LOAD_ALL -> crowd.load();
                    case END -> List.of();
                };
                if (order.kind() == Order.Kind.END) {
                    return order;
                }
            }
        }
    }

    private Optional<Sight> round(Order order, Plan plan, Memory memory) {
        return order.pairs().stream()
                .filter(p -> p.has(group.rank()))
                .findFirst()
                .map(p -> pair(p.partnerOf(group.rank()), plan, memory));
    }

    private Sight pair(int partner, Plan plan, Memory memory) {
        try {
            return partner > group.rank() ? first(partner, plan, memory) : second(partner, plan, memory);
        } catch (SluiceException e) {
            log.info("{}: {}", group.members().get(partner), e.getMessage());
            return Sight.failed(partner, e.getMessage());
        }
    }

    /** Makes the links, reads, and lets the other one read. */
    private Sight first(int partner, Plan plan, Memory memory) {
        try (Peer peer = node.peer(group.members().get(partner).address());
                PairLinks links = PairLinks.of(dial(peer, plan), memory, plan.atMost())) {
            Pull.Measured measured = new Pull(plan, memory).from(links, partner);
            links.say(YOUR_TURN);
            links.expect(DONE, plan.atMost());
            return measured.sight(partner, links);
        }
    }

    private static List<Link> dial(Peer peer, Plan plan) {
        List<Link> links = new ArrayList<>();
        for (int g = 0; g < plan.gpus(); g++) {
            links.add(peer.link(g, g));
        }
        return links;
    }

    private Sight second(int partner, Plan plan, Memory memory) {
        List<Link> made = inbox.await(
                partner, plan.gpus(), node.config().timeouts().deadline().multipliedBy(2));
        try (PairLinks links = PairLinks.of(made, memory, plan.atMost())) {
            links.expect(YOUR_TURN, plan.atMost());
            Pull.Measured measured = new Pull(plan, memory).from(links, partner);
            Sight sight = measured.sight(partner, links);
            links.say(DONE);
            links.awaitEnd(Duration.ofSeconds(5));
            return sight;
        }
    }

    /**
     * Links to all others: those above this rank are dialled, those below dial. Nobody waits for another's program before it has made and
     * offered all of its own.
     */
    private List<Sight> link(Crowd crowd, Plan plan, Memory memory) {
        Map<Integer, List<Link>> made = new TreeMap<>();
        List<Sight> failed = new ArrayList<>();
        Duration atMost = node.config().timeouts().deadline().multipliedBy(2);
        for (int r = group.rank() + 1; r < group.members().size(); r++) {
            String address = group.members().get(r).address();
            attempt(r, failed, rank -> made.put(rank, dial(node.peer(address), plan)));
        }
        for (int r = 0; r < group.rank(); r++) {
            attempt(r, failed, rank -> made.put(rank, inbox.await(rank, plan.gpus(), atMost)));
        }
        made.values().forEach(links -> PairLinks.offer(links, memory));
        made.forEach((r, links) -> attempt(r, failed, rank -> crowd.add(rank, PairLinks.keyed(links, plan.atMost()))));
        return failed;
    }

    private static void attempt(int partner, List<Sight> failed, IntConsumer what) {
        try {
            what.accept(partner);
        } catch (SluiceException e) {
            failed.add(Sight.failed(partner, e.getMessage()));
        }
    }
}
