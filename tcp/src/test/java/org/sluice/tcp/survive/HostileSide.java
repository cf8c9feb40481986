package org.sluice.tcp.survive;

import java.io.OutputStream;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.peer.LinkSession;
import org.sluice.transfer.Agent;
import org.sluice.wire.ControlConnection;

/**
 * The parts of {@link HostileRounds}, a process each:
 *
 * <pre>
 * target NICS PORT SECRET           a node that takes two links, the honest one first, and reads its notes as a program does
 * honest NICS PORT SECRET HOST      writes into its memory without end
 * hostile NICS PORT SECRET HOST SECONDS KIND...
 *                                   says legal frames of one kind after the other as fast as they go, each for so long and with as
 *                                   long a pause after it: B nanos kind, D nanos kind frames
 * sink PORT                         reads and forgets
 * plain HOST PORT RATE SECONDS      so many bytes a second for a sink
 * </pre>
 *
 * A secret of "-" is none. All say S lines as {@link RailSide} does, and E with the reason when a link ends.
 */
final class HostileSide {
    /** Bytes said at once: what a side itself keeps for a peer that does not read is bounded. */
    private static final int BATCH_BYTES = 256 << 10;

    /** Calls of the API that are under way at once. */
    private static final int BATCH_CALLS = 512;

    private static final long REGION_BYTES = 4L << 20;
    private static final int UNDER_WAY = 4;
    private static final Duration LONG = Duration.ofDays(1);

    private HostileSide() {}

    private static void say(String line) {
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "sink" -> sink(Integer.parseInt(args[1]));
            case "plain" ->
                plain(args[1], Integer.parseInt(args[2]), Double.parseDouble(args[3]), Double.parseDouble(args[4]));
            default -> node(args);
        }
    }

    private static void node(String[] args) throws Exception {
        NodeConfig.Builder config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of(args[1].split(",", -1)))
                .channels(4)
                .portBase(Integer.parseInt(args[2]))
                .deadline(Duration.ofSeconds(30))
                .clientWait(Duration.ofMinutes(1));
        if (!args[3].equals("-")) {
            config.secret(args[3].getBytes(StandardCharsets.UTF_8));
        }
        try (Node node = Node.open(config.build())) {
            switch (args[0]) {
                case "target" -> target(node);
                case "honest" -> honest(node, node.connect(0, args[4]));
                case "hostile" ->
                    hostile(
                            node,
                            node.connect(0, args[4]),
                            Double.parseDouble(args[5]),
                            List.of(args).subList(6, args.length));
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    private static void ends(String who, Link link) {
        link.ended().thenAccept(why -> say("E " + System.nanoTime() + " " + who + ": " + why.getMessage()));
    }

    private static void target(Node node) throws Exception {
        node.bind();
        say("BOUND");
        Region in = node.allocate(0, REGION_BYTES * UNDER_WAY);
        Link honest = node.accept(0);
        ends("honest", honest);
        honest.share("in", in);
        Thread.ofPlatform().daemon().name("samples").start(() -> sample(honest));
        say("HONEST");
        Link hostile = node.accept(0);
        ends("hostile", hostile);
        say("HOSTILE");
        Thread.ofPlatform().daemon().name("notes").start(() -> {
            try {
                while (true) {
                    hostile.awaitNote(LONG);
                }
            } catch (SluiceException e) {
                // the link is over, which is said already
            }
        });
        new CountDownLatch(1).await();
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
                Thread.sleep(20);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void honest(Node node, Link link) throws Exception {
        ends("honest", link);
        RemoteRegion to = link.remoteRegion("in").get(30, TimeUnit.SECONDS);
        Region from = node.allocate(0, REGION_BYTES * UNDER_WAY);
        Transfer[] flying = new Transfer[UNDER_WAY];
        say("READY");
        for (int n = 0; ; n = (n + 1) % UNDER_WAY) {
            if (flying[n] != null) {
                flying[n].await(LONG);
            }
            flying[n] = link.write(from, n * REGION_BYTES, REGION_BYTES, to, n * REGION_BYTES);
        }
    }

    // --- the hostile one

    private static void hostile(Node node, Link link, double seconds, List<String> kinds) throws Exception {
        ends("hostile", link);
        say("READY");
        Mouth mouth = new Mouth(link);
        Region memory = node.allocate(0, 1 << 20);
        TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
        for (String kind : kinds) {
            long end = System.nanoTime() + (long) (seconds * 1e9);
            say("B " + System.nanoTime() + " " + kind);
            long frames = switch (kind) {
                case "pings" -> mouth.until(end, 12, n -> mouth.words.probe());
                case "regions" ->
                    mouth.until(end, 100, n -> {
                        mouth.words.region("name " + n % 16, 1, 2, 3);
                        mouth.words.withdraw("name " + n % 16);
                    });
                case "notes" -> calls(end, () -> link.note(new byte[1]));
                case "opens" ->
                    calls(end, () -> {
                        Transfer t = link.send(memory, 0, 1 << 20);
                        t.cancel();
                        return t.future();
                    });
                case "writes" -> {
                    RemoteRegion nobodys = new RemoteRegion(1, 2, 1 << 20);
                    yield calls(
                            end,
                            () -> link.write(memory, 0, 1 << 20, nobodys, 0).future());
                }
                default -> throw new IllegalArgumentException(kind);
            };
            say("D " + System.nanoTime() + " " + kind + " " + frames);
            TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
        }
        say("OVER " + (link.ended().isDone() ? "ended" : "alive"));
    }

    private interface Call {
        CompletableFuture<?> make();
    }

    private static long calls(long end, Call call) throws Exception {
        long made = 0;
        CompletableFuture<?> last = CompletableFuture.completedFuture(null);
        while (System.nanoTime() < end) {
            CompletableFuture<?> before = last;
            for (int i = 0; i < BATCH_CALLS / 2; i++) {
                last = call.make();
            }
            made += BATCH_CALLS / 2;
            before.handle((ok, why) -> why).get(30, TimeUnit.SECONDS);
        }
        return made;
    }

    private interface Frame {
        void say(int n);
    }

    /** Says frames that no call of the API says, or not as often. */
    private static final class Mouth {
        final ControlConnection words;
        private final Agent agent;

        Mouth(Link link) throws ReflectiveOperationException {
            LinkSession session = (LinkSession) field(link, "session");
            words = (ControlConnection) field(session, "control");
            agent = (Agent) field(session, "agent");
        }

        private static Object field(Object of, String name) throws ReflectiveOperationException {
            Field f = of.getClass().getDeclaredField(name);
            f.setAccessible(true);
            return f.get(of);
        }

        long until(long end, int bytes, Frame frame) throws Exception {
            CompletableFuture<Long> all = new CompletableFuture<>();
            more(0, end, BATCH_BYTES / bytes, frame, all);
            return all.get(10, TimeUnit.MINUTES);
        }

        private void more(int from, long end, int batch, Frame frame, CompletableFuture<Long> all) {
            agent.execute(() -> {
                int n = from;
                try {
                    if (!words.hasUnsent()) {
                        for (; n < from + batch; n++) {
                            frame.say(n);
                        }
                    }
                } catch (RuntimeException e) {
                    all.completeExceptionally(e);
                    return;
                }
                if (System.nanoTime() < end) {
                    more(n, end, batch, frame, all);
                } else {
                    all.complete((long) n);
                }
            });
        }
    }

    // --- what it is compared with

    private static void sink(int port) throws Exception {
        try (ServerSocket server = new ServerSocket(port)) {
            say("BOUND");
            byte[] bytes = new byte[64 << 10];
            while (true) {
                try (Socket s = server.accept()) {
                    while (s.getInputStream().read(bytes) >= 0) {
                        // forgotten
                    }
                }
            }
        }
    }

    private static void plain(String host, int port, double rate, double seconds) throws Exception {
        try (Socket s = new Socket()) {
            s.connect(new InetSocketAddress(host, port));
            OutputStream out = s.getOutputStream();
            byte[] bytes = new byte[(int) Math.max(1, rate / 500)];
            long begin = System.nanoTime();
            say("B " + begin + " plain");
            for (long sent = 0; System.nanoTime() - begin < seconds * 1e9; sent += bytes.length) {
                long ahead = (long) (sent / rate * 1e9) - (System.nanoTime() - begin);
                if (ahead > 0) {
                    TimeUnit.NANOSECONDS.sleep(ahead);
                }
                out.write(bytes);
            }
            say("D " + System.nanoTime() + " plain 0");
        }
    }
}
