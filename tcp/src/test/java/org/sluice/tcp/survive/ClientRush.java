package org.sluice.tcp.survive;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;

/**
 * Very many clients that come at once to one node from four addresses, beside strangers from the same addresses that say nothing and come
 * again when they are dropped. Every client is a node of its own; they share a JVM for each address. All are to be linked before their
 * deadline, though a node keeps no more than 128 strangers of one address: who is dropped tries again.
 *
 * <p>{@code bench/survive/run.sh rush [clients=1000] [strangers=200] [deadline in s=30]}; a share of it is {@link ClientRushTest}.
 */
public final class ClientRush implements AutoCloseable {
    static final int BYTES = 20_000;
    static final int GPUS = 8;

    private static final List<String> SOURCES = List.of("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5");
    private static final long STRANGERS_PAUSE_MILLIS = 1000;

    private final Node hub;
    private final InetSocketAddress address;
    private final CountDownLatch carried;
    private final AtomicInteger wrong = new AtomicInteger();
    private final AtomicInteger came = new AtomicInteger();
    private final AtomicInteger silent = new AtomicInteger();
    private final AtomicInteger dropped = new AtomicInteger();
    private final List<Side> sides = new ArrayList<>();
    private volatile boolean closed;

    /**
     * What came of it.
     *
     * @param linked clients that say so
     * @param carried links on which a message came whole
     * @param connections that all clients opened: one each, and one more for each time that one was dropped
     * @param strangers that were there when the clients began
     * @param dropped how often a stranger was
     * @param said the clients' words, the first failures among them
     */
    record Result(int linked, int carried, int connections, int strangers, int dropped, List<String> said) {}

    private ClientRush(int clients) {
        carried = new CountDownLatch(clients);
        hub = Node.open(config(GPUS, -1, Duration.ofSeconds(30)));
        hub.onLink(l -> {
            came.incrementAndGet();
            Thread.ofVirtual().start(() -> take(l));
        });
        address = hub.listen(new InetSocketAddress("127.0.0.1", 0));
    }

    /** @param client its number, which its link says; -1 for the node to which all come */
    static NodeConfig config(int gpus, int client, Duration deadline) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(gpus)
                .transport("tcp")
                .nics(List.of("lo1", "lo2"))
                .channels(2)
                .note(
                        client < 0
                                ? new byte[0]
                                : ByteBuffer.allocate(4).putInt(client).array())
                .deadline(deadline)
                .build();
    }

    public static void main(String[] args) throws Exception {
        int clients = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        int strangers = args.length > 1 ? Integer.parseInt(args[1]) : 200;
        int seconds = args.length > 2 ? Integer.parseInt(args[2]) : 30;
        Result r = run(clients, strangers, Duration.ofSeconds(seconds));
        r.said.forEach(System.out::println);
        System.out.printf(
                "%d of %d clients linked within %d s, %d carried a message whole; %d connections from %d addresses; %d"
                        + " silent strangers, dropped %d times; %d cores%n",
                r.linked,
                clients,
                seconds,
                r.carried,
                r.connections,
                SOURCES.size(),
                r.strangers,
                r.dropped,
                Runtime.getRuntime().availableProcessors());
        Runtime.getRuntime().halt(r.carried == clients && r.linked == clients ? 0 : 1);
    }

    /** @param deadline of each client, from the moment that all begin */
    static Result run(int clients, int strangers, Duration deadline) throws Exception {
        try (ClientRush rush = new ClientRush(clients)) {
            return rush.rush(clients, strangers, deadline);
        }
    }

    private Result rush(int clients, int strangers, Duration deadline) throws Exception {
        int first = 0;
        for (int i = 0; i < SOURCES.size(); i++) {
            int count = (clients - first) / (SOURCES.size() - i);
            List<String> jvm = new ArrayList<>(List.of("-Xmx1500m", "-Xss256k"));
            jvm.addAll(List.of(SourceAddress.options(SOURCES.get(i))));
            sides.add(new Side(
                    SOURCES.get(i),
                    List.of(),
                    jvm,
                    RushClients.class,
                    List.of("127.0.0.1:" + address.getPort(), "" + first, "" + count, "" + deadline.toSeconds())));
            first += count;
        }
        for (Side s : sides) {
            s.await(0, l -> l.equals("OPEN"), 240);
        }
        for (int i = 0; i < strangers; i++) {
            String from = SOURCES.get(i % SOURCES.size());
            Thread.ofVirtual().start(() -> saysNothing(from));
        }
        while (silent.get() < strangers) {
            Thread.onSpinWait();
        }
        for (Side s : sides) {
            s.say("GO");
        }
        int linked = 0;
        int connections = 0;
        for (Side s : sides) {
            String[] words = s.await(0, l -> l.startsWith("LINKED "), 3 * deadline.toSeconds() + 60)
                    .split(" ", -1);
            linked += Integer.parseInt(words[1]);
            connections += Integer.parseInt(words[3]);
        }
        if (linked == clients && !carried.await(60, TimeUnit.SECONDS)) {
            System.err.println(carried.getCount() + " links carried nothing");
        }
        List<String> said = sides.stream()
                .flatMap(s -> s.lines().stream().filter(l -> !l.equals("OPEN")))
                .toList();
        return new Result(
                linked,
                (int) (clients - carried.getCount()) - wrong.get(),
                connections,
                strangers,
                dropped.get(),
                said);
    }

    /** The client's message, every byte compared. */
    private void take(Link link) {
        int client = ByteBuffer.wrap(link.offeredNote()).getInt();
        try (Region region = hub.allocate(link.gpu(), BYTES)) {
            link.receive(region, 0, BYTES).await(Duration.ofMinutes(4));
            wrong.addAndGet(region.mismatch(0, BYTES, client) < 0 ? 0 : 1);
            carried.countDown();
        } catch (SluiceException e) {
            if (!closed) {
                System.err.println("client " + client + ": " + e.getMessage());
            }
        }
    }

    private void saysNothing(String from) {
        boolean first = true;
        while (!closed) {
            try (SocketChannel channel = SocketChannel.open()) {
                channel.bind(new InetSocketAddress(from, 0));
                channel.connect(address);
                if (first) {
                    silent.incrementAndGet();
                    first = false;
                }
                int end = channel.read(ByteBuffer.allocate(1)); // until it is dropped
                dropped.addAndGet(end < 0 ? 1 : 0);
            } catch (IOException e) {
                dropped.incrementAndGet();
            }
            try {
                TimeUnit.MILLISECONDS.sleep(STRANGERS_PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        sides.forEach(Side::close);
        hub.close();
    }
}
