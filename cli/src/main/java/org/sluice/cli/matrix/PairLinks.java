package org.sluice.cli.matrix;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.sluice.ChannelConnections;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.spi.ConnectionFacts;

/**
 * The links of this rank to a partner, one for each GPU, and the keys of the partner's memory. Whoever dialled closes them.
 *
 * @param from what the partner lets be read, {@code into} what it lets be written to, by GPU
 */
record PairLinks(List<Link> links, List<RemoteRegion> from, List<RemoteRegion> into) implements AutoCloseable {
    private static final String OUT = "sluice-matrix/out";
    private static final String IN = "sluice-matrix/in";

    /** A NIC here and one there. */
    private record Ends(String nic, String peerNic) implements Comparable<Ends> {
        @Override
        public int compareTo(Ends o) {
            int byNic = nic.compareTo(o.nic);
            return byNic != 0 ? byNic : peerNic.compareTo(o.peerNic);
        }
    }

    /** Gives the partner the keys of this rank's memory and waits for its own. */
    static PairLinks of(List<Link> links, Memory memory, Duration atMost) {
        offer(links, memory);
        return keyed(links, atMost);
    }

    /** Gives the partner the keys of this rank's memory. */
    static void offer(List<Link> links, Memory memory) {
        for (int g = 0; g < links.size(); g++) {
            links.get(g).share(OUT, memory.out(g));
            links.get(g).share(IN, memory.in(g));
        }
    }

    /** Waits for the keys of the partner's memory. */
    static PairLinks keyed(List<Link> links, Duration atMost) {
        return new PairLinks(
                List.copyOf(links),
                links.stream().map(l -> key(l, OUT, atMost)).toList(),
                links.stream().map(l -> key(l, IN, atMost)).toList());
    }

    private static RemoteRegion key(Link link, String name, Duration atMost) {
        try {
            return link.remoteRegion(name)
                    .orTimeout(atMost.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof SluiceException s
                    ? s
                    : new LinkException(
                            "the peer " + link.peer() + " shared no memory within " + atMost.toSeconds() + " s", e);
        }
    }

    /** Bytes that have landed here so far, by NIC and peer's NIC. */
    Map<String, Long> landed() {
        Map<String, Long> all = new TreeMap<>();
        for (Link link : links) {
            for (ChannelStats c : link.channels()) {
                if (!c.sending()) {
                    all.merge(c.nic() + " " + c.peerNic(), c.bytes(), Long::sum);
                }
            }
        }
        return all;
    }

    /** What landed between two moments, and what the kernel says of all that was sent. */
    List<Flow> flows(Map<String, Long> before, Map<String, Long> after) {
        Map<Ends, long[]> all = new TreeMap<>();
        after.forEach((rail, bytes) -> {
            String[] ends = rail.split(" ", 2);
            all.computeIfAbsent(new Ends(ends[0], ends[1]), r -> new long[3])[0] +=
                    bytes - before.getOrDefault(rail, 0L);
        });
        for (Link link : links) {
            List<ChannelStats> channels = link.channels();
            for (ChannelConnections c : link.connections()) {
                if (c.sending()) {
                    String peerNic = channels.stream()
                            .filter(s -> s.sending() && s.index() == c.index())
                            .map(ChannelStats::peerNic)
                            .findFirst()
                            .orElse("?");
                    long[] counts = all.computeIfAbsent(new Ends(c.nic(), peerNic), r -> new long[3]);
                    for (ConnectionFacts f : c.connections()) {
                        counts[1] += f.value(ConnectionFacts.SEGMENTS_SENT);
                        counts[2] += f.value(ConnectionFacts.SEGMENTS_RETRANSMITTED);
                    }
                }
            }
        }
        List<Flow> flows = new ArrayList<>();
        all.forEach((rail, n) -> flows.add(new Flow(rail.nic, rail.peerNic, n[0], n[1], n[2])));
        return flows;
    }

    /** Waits for the partner's word. @throws LinkException when it says another */
    void expect(String word, Duration atMost) {
        String said = new String(links.getFirst().awaitNote(atMost), StandardCharsets.UTF_8);
        if (!said.equals(word)) {
            throw new LinkException(
                    "the peer " + links.getFirst().peer() + " said '" + said + "' where '" + word + "' was expected");
        }
    }

    void say(String word) {
        links.getFirst().note(word.getBytes(StandardCharsets.UTF_8));
    }

    /** Waits until the partner has closed the links. */
    void awaitEnd(Duration atMost) {
        for (Link link : links) {
            link.ended()
                    .completeOnTimeout(new LinkException("left open"), atMost.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        }
    }

    @Override
    public void close() {
        links.forEach(Link::close);
    }
}
