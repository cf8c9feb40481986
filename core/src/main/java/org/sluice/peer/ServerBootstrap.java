package org.sluice.peer;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.transfer.EngineSettings;
import org.sluice.wire.Answer;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;
import org.sluice.wire.Rail;
import org.sluice.wire.UcclBootstrap;

/** The server's part in agreeing on a link. */
final class ServerBootstrap {
    private final LinkAttempt attempt;
    private final LinkPlan plan;
    private final ChannelManager manager;
    private final BootstrapChecks checks;

    ServerBootstrap(LinkAttempt attempt) {
        this.attempt = attempt;
        this.plan = attempt.plan();
        this.manager = attempt.manager();
        this.checks = new BootstrapChecks(attempt);
    }

    /** Listens on as many channels as configured, spread over the node's NICs; the client's NICs may change that later. */
    LinkAttempt listen() {
        int[] devices = attempt.ownSpread(plan.config().link().channels()).stream()
                .mapToInt(Rail::server)
                .toArray();
        attempt.onAgent(() -> manager.listen(devices));
        return attempt;
    }

    /** Answers a client's offer. */
    AgreedLink answer(LinkRequest request) throws IOException {
        FrameSocket s = request.socket().until(Deadline.in(plan.deadline()));
        Offer offer = request.offer();
        attempt.with(s);
        attempt.peersGpu(s, offer.gpu());
        manager.key(request.introduction().key());
        manager.peer(request.client());
        try {
            return agree(s, request, offer);
        } catch (SluiceException e) {
            s.refuse(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private AgreedLink agree(FrameSocket s, LinkRequest request, Offer offer) throws IOException {
        NodeIdentity client = request.client();
        int here = attempt.together();
        if (offer.together() != here && offer.together() > 0 && here > 0) {
            throw new LinkException(
                    attempt.where(),
                    "the client has " + offer.together() + " GPUs, this server " + here
                            + "; give both the same --gpus");
        }
        checks.expectTransport(client);
        checks.expectNic(plan.rails()
                .isOneHost(client, BootstrapChecks.isThisHost(s.stream().socket())));
        List<Integer> ofChannel = RailSpread.of(
                offer.rails(),
                offer.proven(),
                plan.near(attempt.agent().gpu()),
                offer.near(),
                offer.channels(),
                attempt.gpu());
        List<Rail> rails = ofChannel.stream().map(offer.rails()::get).toList();
        checks.tellIdle(client, true, offer.rails().subList(0, offer.proven()), Map.of());
        int window = Math.min(offer.window(), plan.window());
        int[] devices = rails.stream().mapToInt(Rail::server).toArray();
        int[] addresses = rails.stream().mapToInt(Rail::serverAddress).toArray();
        attempt.onAgent(() -> {
            manager.addresses(addresses);
            manager.listen(devices);
        });
        long chunk = attempt.onAgent(() -> manager.chunkBytes(offer.chunkBytes()));
        EngineSettings settings = attempt.settings(chunk, offer.roundRobin(), window);
        List<byte[]> handles = attempt.onAgent(manager::handles);
        s.write(FrameType.ANSWER, new Answer(attempt.gpu(), window, ofChannel, handles).encode());
        List<byte[]> peerHandles = Answer.decodeHandles(s.read(FrameType.HANDLES));
        checks.expectHandles(peerHandles, offer.duplex() ? rails.size() : 0);
        return new AgreedLink(
                attempt,
                s,
                new Partner.Client(request.introduction(), client, offer.gpu(), offer.note()),
                settings,
                true,
                true,
                rails,
                lost(ofChannel, offer.proven()),
                peerHandles);
    }

    /** Channels on rails that do not work yet. @param proven how many of the offered rails do */
    static BitSet lost(List<Integer> ofChannel, int proven) {
        BitSet lost = new BitSet();
        for (int c = 0; c < ofChannel.size(); c++) {
            lost.set(c, ofChannel.get(c) >= proven);
        }
        return lost;
    }

    /** Sends the handles the way UCCL does, to whoever has connected. */
    AgreedLink answerBare(SocketChannel client) throws IOException {
        FrameSocket s = new FrameSocket(client, Deadline.in(plan.deadline()));
        attempt.with(s);
        UcclBootstrap.send(client, attempt.onAgent(manager::handles));
        return new AgreedLink(
                attempt,
                s,
                new Partner.Unnamed(),
                attempt.settings(plan.chunkBytes(), true, plan.window()),
                true,
                true,
                attempt.ownSpread(plan.config().link().channels()),
                new BitSet(),
                List.of());
    }
}
