package org.sluice.tcp.survive;

import java.time.Duration;
import java.util.List;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;

/**
 * One side of a link, as a process of its own, so that it can be put into a network namespace and killed: {@code receive
 * <nics> <port> <bytes> <settings>}, or {@code send}, {@code take} or {@code register} (which does no more than that) with the
 * host of a server behind it. The sender sends one message after the other until it is ended; the receiver checks every byte of
 * each, and both say what happens, a line each:
 *
 * <pre>
 * BOUND                           receiver: its port is open
 * READY
 * REGISTERED                      register: its memory is
 * S nanos bytes per channel...    receiver, every 10 ms: what each channel has landed
 * V nanos n                       receiver: n messages have been compared and were right
 * W offset                        receiver: a wrong byte
 * E nanos text                    the link ended
 * </pre>
 */
public final class RailSide {
    /**
     * Messages under way. While a rail is silent and not yet known to be dead its chunks hold their message back, and the rails
     * that work go through the next ones: with too few they would stand still for as long as this program fills and compares.
     */
    private static final int AHEAD = 4;

    private RailSide() {}

    /** Processes of one machine share this clock. */
    private static void say(String line) {
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }

    public static void main(String[] args) throws Exception {
        boolean receives = args[0].equals("receive");
        long bytes = Long.parseLong(args[3]);
        NodeConfig.Builder config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of(args[1].split(",", -1)))
                .portBase(Integer.parseInt(args[2]))
                .duplex(true);
        for (String setting : args[4].split(",", -1)) {
            String[] pair = setting.split("=", 2);
            switch (pair[0]) {
                case "deadline" -> config.deadline(Duration.ofMillis(Long.parseLong(pair[1])));
                case "peer" -> config.peerTimeout(Duration.ofMillis(Long.parseLong(pair[1])));
                case "channels" -> config.channels(Integer.parseInt(pair[1]));
                case "stall" -> config.stallTimeout(Duration.ofMillis(Long.parseLong(pair[1])));
                case "chunk" -> config.chunkBytes(Long.parseLong(pair[1]));
                default -> throw new IllegalArgumentException(setting);
            }
        }
        try (Node node = Node.open(config.build())) {
            Region region = node.allocate(0, bytes * AHEAD);
            if (receives) {
                node.bind();
            }
            say("BOUND");
            try {
                Link link = receives ? node.accept(0) : node.connect(0, args[5]);
                say("READY");
                if (receives) {
                    receive(link, region, bytes);
                } else if (args[0].equals("register")) {
                    link.register(region);
                    say("REGISTERED");
                    say("E " + System.nanoTime() + " " + link.ended().join().getMessage());
                } else if (args[0].equals("take")) {
                    while (true) {
                        link.receive(region, 0, bytes).await(Duration.ofDays(1));
                    }
                } else {
                    send(link, region, bytes);
                }
            } catch (SluiceException e) {
                say("E " + System.nanoTime() + " " + e.getMessage());
            }
        }
    }

    private static void send(Link link, Region region, long bytes) {
        Transfer[] flying = new Transfer[AHEAD];
        for (long n = 0; ; n++) {
            int slot = (int) (n % AHEAD);
            if (flying[slot] != null) {
                flying[slot].await(Duration.ofDays(1));
            }
            region.fill(slot * bytes, bytes, n); // no two messages are alike: a byte of an older one would be found
            flying[slot] = link.send(region, slot * bytes, bytes);
        }
    }

    private static void receive(Link link, Region region, long bytes) {
        long right = 0;
        Thread.ofPlatform().daemon().name("samples").start(() -> sample(link));
        Transfer[] flying = new Transfer[AHEAD];
        for (long n = 0; ; n++) {
            int slot = (int) (n % AHEAD);
            if (flying[slot] != null) {
                flying[slot].await(Duration.ofDays(1));
                long wrong = region.mismatch(slot * bytes, bytes, n - AHEAD);
                if (wrong >= 0) {
                    say("W " + wrong);
                }
                say("V " + System.nanoTime() + " " + ++right);
            }
            flying[slot] = link.receive(region, slot * bytes, bytes);
        }
    }

    private static void sample(Link link) {
        StringBuilder line = new StringBuilder();
        while (!link.ended().isDone()) {
            line.setLength(0);
            line.append("S ").append(System.nanoTime());
            for (ChannelStats c :
                    link.channels().stream().filter(c -> !c.sending()).toList()) {
                line.append(' ').append(c.bytes());
            }
            say(line.toString());
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
