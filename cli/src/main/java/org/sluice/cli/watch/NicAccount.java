package org.sluice.cli.watch;

import java.util.List;

/**
 * What the engine says that a kernel network device carried during a run, beside what the kernel counted on it.
 *
 * <p>The kernel counts whole packets with their Ethernet, IP and TCP headers, and acknowledgements, repeats and the control
 * connection besides. How many headers depends on where it counts: virtual devices count a packet of up to 64 KiB before it is
 * cut (66 bytes of header on 64 KiB, 0.1 %), real NICs each packet of one segment. So a device agrees if it has counted at least the
 * payload, and at most that with a full header for each segment of the size that the connections really use.
 *
 * @param device kernel network device
 * @param nics those of the transport that use it
 * @param loopback whether what is received was also sent there
 * @param frameBytes what the transport puts before each chunk
 * @param mtu of the device
 * @param segment payload of a full segment of its connections, which the peer's MTU and the path's limit too; 0 where nobody tells
 * @param retransmittedBytes sent again, as far as the kernel told
 * @param discardedBytes the most that sockets of lost channels had taken, and the engine counted, and never sent
 */
record NicAccount(
        String device,
        List<String> nics,
        boolean loopback,
        long sentBytes,
        long receivedBytes,
        long sentChunks,
        long receivedChunks,
        int frameBytes,
        int mtu,
        int segment,
        long retransmittedBytes,
        long discardedBytes,
        long kernelSentBytes,
        long kernelReceivedBytes) {
    /** Ethernet 14, VLAN 4, checksum 4, IPv6 40, TCP with the most options 60: no packet of TCP has more. */
    private static final int MOST_HEADER = 122;

    /** IPv4 20 and TCP with time stamps 32: no packet of ours has less payload than the MTU without them, but the last. */
    private static final int LEAST_INSIDE_MTU = 52;

    /** IPv6 40 and TCP with the most options 60: a segment that fills the MTU is no smaller than that leaves. */
    private static final int MOST_INSIDE_MTU = 100;

    /** Grants, confirmations and heartbeats on the control connection, for each chunk. */
    private static final int CONTROL_BYTES = 256;

    /** ARP, neighbours, and what else talks on an idle link. */
    private static final long CHATTER = 1 << 20;

    NicAccount {
        nics = List.copyOf(nics);
    }

    /** Payload with the transport's frame heads that the device must have sent. */
    long leastSent() {
        return loopback
                ? framed(sentBytes + receivedBytes, sentChunks + receivedChunks)
                : framed(sentBytes, sentChunks);
    }

    long leastReceived() {
        return loopback ? leastSent() : framed(receivedBytes, receivedChunks);
    }

    private long framed(long bytes, long chunks) {
        return bytes + chunks * frameBytes;
    }

    long mostSent() {
        return leastSent() + headers(leastSent()) + acknowledgements(leastReceived()) + otherwise();
    }

    long mostReceived() {
        return leastReceived() + headers(leastReceived()) + acknowledgements(leastSent()) + otherwise();
    }

    private long headers(long bytes) {
        int most = mtu - LEAST_INSIDE_MTU;
        return (bytes / Math.max(1, segment > 0 ? Math.min(segment, most) : most) + 1) * MOST_HEADER;
    }

    /** That the device could send larger packets than the peer or the way takes; empty where it is not so. */
    String smallerSegments() {
        boolean smaller = !loopback && segment > 0 && segment < mtu - MOST_INSIDE_MTU;
        return smaller
                ? device + " has an MTU of " + mtu + ", its connections use segments of " + segment
                        + " bytes: the peer's MTU, or one on the way, is smaller; give both sides the same MTU"
                : "";
    }

    /** At worst one for each packet. */
    private long acknowledgements(long bytes) {
        return headers(bytes);
    }

    private long otherwise() {
        long repeated = retransmittedBytes + headers(retransmittedBytes);
        return repeated + (sentChunks + receivedChunks) * CONTROL_BYTES + CHATTER;
    }

    /** Share of the payload that the kernel counted on top of it, sending; 0 where nothing was sent. */
    double overheadSent() {
        return overhead(kernelSentBytes, loopback ? sentBytes + receivedBytes : sentBytes);
    }

    double overheadReceived() {
        return overhead(kernelReceivedBytes, loopback ? sentBytes + receivedBytes : receivedBytes);
    }

    private static double overhead(long kernel, long payload) {
        return payload == 0 ? 0 : (double) (kernel - payload) / payload;
    }

    boolean agrees() {
        return disagreement().isEmpty();
    }

    /** What is wrong, as a sentence; empty if nothing is. */
    String disagreement() {
        String sent = disagreement("sent", leastSent(), discardedBytes, mostSent(), kernelSentBytes);
        return sent.isEmpty()
                ? disagreement("received", leastReceived(), 0, mostReceived(), kernelReceivedBytes)
                : sent;
    }

    private String disagreement(String verb, long least, long discarded, long most, long kernel) {
        if (kernel < least - discarded) {
            return device + " has " + verb + " " + kernel + " bytes by the kernel's count, the engine says " + least
                    + " over " + String.join(", ", nics)
                    + ": the packets take another way; look at the routes ('ip route"
                    + " get'), or run with rights to bind sockets to their device";
        }
        // everything on the host talks over a loopback device
        if (kernel > most && !loopback) {
            return device + " has " + verb + " " + kernel + " bytes by the kernel's count, the engine says " + least
                    + " and headers explain no more than " + most
                    + ": something else uses this NIC, or packets of another NIC take this way";
        }
        return "";
    }
}
