package org.sluice.peer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ConfigException;
import org.sluice.LeftOut;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/** What server and client expect of each other alike before they agree on a link. */
final class BootstrapChecks {
    private static final Logger log = LoggerFactory.getLogger(BootstrapChecks.class);

    private final LinkAttempt attempt;
    private final LinkPlan plan;

    BootstrapChecks(LinkAttempt attempt) {
        this.attempt = attempt;
        this.plan = attempt.plan();
    }

    /** Whether a connection leads to this host itself. */
    static boolean isThisHost(SocketChannel connection) throws IOException {
        return connection.getRemoteAddress() instanceof InetSocketAddress peer
                && (peer.getAddress().isLoopbackAddress()
                        || NetworkInterface.getByInetAddress(peer.getAddress()) != null);
    }

    void expectTransport(NodeIdentity peer) {
        if (!peer.transport().equals(plan.transport().name())) {
            throw new LinkException(
                    attempt.where(),
                    "the peer uses transport " + peer.transport() + ", this side "
                            + plan.transport().name() + "; give both the same --transport");
        }
    }

    /** @throws ConfigException when the peer is on another host and no NIC of this one can reach any */
    void expectNic(boolean oneHost) {
        if (oneHost || !plan.rails().self().nics().stream().allMatch(RemoteNic::staysOnItsHost)) {
            return;
        }
        List<LeftOut> leftOut = plan.transport().leftOut();
        throw new ConfigException(
                attempt.where(),
                "no NIC here leads to another host, and the peer is one; "
                        + (leftOut.isEmpty()
                                ? "this side was told to use only rails within this host; give it other --nics"
                                : "left out: "
                                        + leftOut.stream()
                                                .map(LeftOut::toString)
                                                .collect(Collectors.joining(", "))
                                        + "; mend one of them, or name it with --nics"));
    }

    void expectHandles(List<byte[]> handles, int count) {
        if (handles.size() != count) {
            throw new ProtocolException(
                    attempt.where(), "the peer sent " + handles.size() + " channel handles, expected were " + count);
        }
    }

    /** A NIC that carries nothing is nothing to be silent about. */
    void tellIdle(NodeIdentity peer, boolean server, List<Rail> used, Map<Integer, String> why) {
        List<LeftOut> idle = PeerRails.idle(plan.rails().self().nics(), used, server, peer.name(), why);
        if (plan.rails().idle(peer, idle)) {
            idle.forEach(l -> log.warn("NIC {}", l));
        }
    }
}
