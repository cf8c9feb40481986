package org.sluice.wire;

import java.util.List;
import org.sluice.spi.RailProver;

/**
 * Who a node is: what both sides say before anything is offered. A process that is started again is another node.
 *
 * @param idHigh upper half of 128 random bits
 * @param idLow lower half
 * @param host the same number for nodes that share a host and its network; 0 where it is not known
 * @param name the host's, for people
 * @param version of Sluice, for people
 * @param gpus how many it has
 * @param transport the one it uses
 * @param pulls the transport by which it shares memory on its host, empty for none
 * @param proofPort where its rails can be tried, 0 for nowhere
 * @param token lets the receiver of this try this node's rails
 * @param nics every NIC it uses, in its order
 */
public record NodeIdentity(
        long idHigh,
        long idLow,
        long host,
        String name,
        String version,
        int gpus,
        String transport,
        String pulls,
        int proofPort,
        byte[] token,
        List<RemoteNic> nics) {
    private static final int MOST_NAME = 256;

    public NodeIdentity {
        nics = List.copyOf(nics);
    }

    /** One that shares no memory. */
    public NodeIdentity(
            long idHigh,
            long idLow,
            long host,
            String name,
            String version,
            int gpus,
            String transport,
            int proofPort,
            byte[] token,
            List<RemoteNic> nics) {
        this(idHigh, idLow, host, name, version, gpus, transport, "", proofPort, token, nics);
    }

    /** The same node with a token for somebody else. */
    public NodeIdentity withToken(byte[] other) {
        return new NodeIdentity(idHigh, idLow, host, name, version, gpus, transport, pulls, proofPort, other, nics);
    }

    public byte[] encode() {
        PayloadWriter out = new PayloadWriter()
                .u64(idHigh)
                .u64(idLow)
                .u64(host)
                .text(shortened(name))
                .text(shortened(version))
                .u16(gpus)
                .text(transport)
                .u16(proofPort)
                .raw(token);
        RemoteNic.encodeAll(out, nics);
        return out.text(pulls).toBytes();
    }

    public static NodeIdentity decode(byte[] payload) {
        PayloadReader in = new PayloadReader(FrameType.IDENTITY, payload);
        long high = in.u64();
        long low = in.u64();
        long host = in.u64();
        String name = FrameSocket.printable(in.text(MOST_NAME));
        String version = FrameSocket.printable(in.text(MOST_NAME));
        int gpus = in.within(in.u16(), 0, Offer.MOST_GPUS, "GPU count");
        String transport = FrameSocket.printable(in.text(Offer.MOST_TRANSPORT));
        int port = in.u16();
        byte[] token = in.raw(RailProver.TOKEN_BYTES);
        List<RemoteNic> nics = RemoteNic.decodeAll(in);
        String pulls = FrameSocket.printable(in.text(Offer.MOST_TRANSPORT));
        in.end();
        return new NodeIdentity(high, low, host, name, version, gpus, transport, pulls, port, token, nics);
    }

    private static String shortened(String text) {
        return text.length() <= MOST_NAME / 4 ? text : text.substring(0, MOST_NAME / 4);
    }
}
