package org.sluice.peer;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.util.BitSet;
import java.util.List;
import org.sluice.ProtocolException;
import org.sluice.SluiceException;
import org.sluice.wire.Answer;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.Introduction;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;
import org.sluice.wire.Rail;
import org.sluice.wire.Target;
import org.sluice.wire.Tls;
import org.sluice.wire.UcclBootstrap;

/** The client's part in agreeing on a link. */
final class ClientBootstrap {
    private final LinkAttempt attempt;
    private final LinkPlan plan;
    private final ChannelManager manager;
    private final BootstrapChecks checks;

    /** A connection on which both have said who they are. */
    private record Greeted(FrameSocket socket, Introduction introduction, NodeIdentity node) {}

    ClientBootstrap(LinkAttempt attempt) {
        this.attempt = attempt;
        this.plan = attempt.plan();
        this.manager = attempt.manager();
        this.checks = new BootstrapChecks(attempt);
    }

    /** Connects to the server, makes the offer and takes the answer. */
    AgreedLink agree(String host, Deadline deadline) throws IOException {
        return answered(offer(host, deadline));
    }

    /** Finds the server and the rails to it. */
    private Offered offer(String host, Deadline deadline) throws IOException {
        Greeted greeted = greet(host, deadline);
        FrameSocket s = greeted.socket();
        try {
            return rails(greeted, deadline);
        } catch (SluiceException e) {
            s.refuse(e.what()); // the server waits for this client, and hears why in vain
            throw e;
        }
    }

    /** The rails towards a server that has said who it is, once enough of them are proven. */
    private Offered rails(Greeted greeted, Deadline deadline) throws IOException {
        FrameSocket s = greeted.socket();
        NodeIdentity node = greeted.node();
        checks.expectTransport(node);
        manager.peer(node);
        boolean oneHost = plan.rails()
                .isOneHost(node, BootstrapChecks.isThisHost(s.stream().socket()));
        checks.expectNic(oneHost);
        if (attempt.destination() instanceof LinkAttempt.Destination.NodePort to) {
            s.write(FrameType.TARGET, new Target(to.gpu()).encode());
        }
        RailLease lease = new RailLease(plan.rails().towards(node, oneHost));
        attempt.orElse(lease.undo());
        PeerRails.Found found = lease.rails().await(deadline, plan.roundRobin(), attempt.where());
        checks.tellIdle(
                node,
                false,
                found.rails().subList(0, found.proven()),
                lease.rails().whyIdle());
        return new Offered(attempt, s, greeted.introduction(), node, lease, found);
    }

    private AgreedLink answered(Offered offered) throws IOException {
        FrameSocket s = offered.socket();
        PeerRails.Found found = offered.found();
        int channels = plan.config().link().channels();
        boolean duplex = plan.config().link().duplex();
        s.write(
                FrameType.OFFER,
                new Offer(
                                attempt.gpu(),
                                attempt.together(),
                                channels,
                                duplex,
                                plan.roundRobin(),
                                plan.window(),
                                plan.chunkBytes(),
                                plan.near(attempt.agent().gpu()),
                                found.rails(),
                                found.proven(),
                                plan.config().link().note())
                        .encode());
        Answer answer = Answer.decode(s.read(FrameType.ANSWER), found.rails().size());
        if (answer.rails().size() != channels) {
            throw new ProtocolException(
                    attempt.where(),
                    "the server answered with " + answer.rails().size() + " channels, asked for were " + channels);
        }
        attempt.peersGpu(s, answer.gpu());
        List<Rail> rails = answer.rails().stream().map(found.rails()::get).toList();
        checks.expectHandles(answer.handles(), rails.size());
        int[] addresses = rails.stream().mapToInt(Rail::clientAddress).toArray();
        int[] devices = rails.stream().mapToInt(Rail::client).toArray();
        long chunk = attempt.onAgent(() -> {
            manager.addresses(addresses);
            if (duplex) {
                manager.listen(devices);
            }
            return manager.chunkBytes(plan.chunkBytes());
        });
        List<byte[]> mine = duplex ? attempt.onAgent(manager::handles) : List.of();
        s.write(FrameType.HANDLES, Answer.encodeHandles(mine));
        return new AgreedLink(
                attempt,
                s,
                new Partner.Server(offered.introduction(), offered.server(), answer.gpu(), offered.lease()),
                attempt.settings(chunk, plan.roundRobin(), Math.min(answer.window(), plan.window())),
                false,
                duplex,
                rails,
                ServerBootstrap.lost(answer.rails(), found.proven()),
                answer.handles());
    }

    /** Takes the handles the way UCCL sends them. */
    AgreedLink agreeBare(String host, Deadline deadline) throws IOException {
        FrameSocket s = secured(new FrameSocket(search(host).next(deadline), deadline), deadline);
        checks.expectNic(BootstrapChecks.isThisHost(s.stream().socket()));
        List<byte[]> handles = UcclBootstrap.receive(s);
        return new AgreedLink(
                attempt,
                s,
                new Partner.Unnamed(),
                attempt.settings(plan.chunkBytes(), true, plan.window()),
                false,
                false,
                attempt.ownSpread(handles.size()),
                new BitSet(),
                handles);
    }

    private ServerSearch search(String host) {
        return new ServerSearch(
                attempt.place(), host, attempt.destination().port(), InetAddress::getAllByName, attempt::isCancelled);
    }

    /** A server that has too many strangers drops some without a word: again, then. */
    private Greeted greet(String host, Deadline deadline) throws IOException {
        ServerSearch search = search(host);
        while (true) {
            SocketChannel channel = search.next(deadline);
            String server = FrameSocket.peer(channel);
            try {
                FrameSocket s = secured(new FrameSocket(channel, deadline), deadline);
                Introduction introduction = Handshake.asClient(s, plan.secret());
                manager.key(introduction.key());
                s.write(FrameType.IDENTITY, plan.rails().self().encode());
                return new Greeted(s, introduction, NodeIdentity.decode(s.read(FrameType.IDENTITY)));
            } catch (EOFException | SocketException e) {
                channel.close();
                if (deadline.passed() || attempt.isCancelled()) {
                    throw e;
                }
                search.failed(server + " closed the connection before it said who it is", e);
                search.pause(deadline);
            }
        }
    }

    private FrameSocket secured(FrameSocket plain, Deadline deadline) throws IOException {
        attempt.with(plain);
        Tls tls = plan.tls();
        if (tls == null) {
            return plain;
        }
        FrameSocket s = new FrameSocket(tls.connect(plain.stream().socket(), deadline), deadline);
        attempt.with(s);
        return s;
    }
}
