import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.sluice.client.Link;
import org.sluice.client.SharedMemory;
import org.sluice.client.SluiceClient;
import org.sluice.client.Transfer;

/** Bench SOCKET_A SOCKET_B HOST:PORT_OF_B BYTES UNDER_WAY SECONDS: as client-c's bench, from Java. */
public class Bench {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    public static void main(String[] arguments) {
        int size = Integer.parseInt(arguments[3]);
        int underWay = Integer.parseInt(arguments[4]);
        double seconds = Double.parseDouble(arguments[5]);
        try (SluiceClient a = SluiceClient.open(Path.of(arguments[0]), "java bench");
                SluiceClient b = SluiceClient.open(Path.of(arguments[1]), "java bench b")) {
            SharedMemory from = a.allocate(0, size);
            SharedMemory to = b.allocate(0, size);
            ByteBuffer source = from.buffer();
            while (source.hasRemaining()) {
                source.put((byte) 7);
            }
            Link link = a.connect(arguments[2], 0, 0, LIMIT);
            ArrayDeque<Transfer> flying = new ArrayDeque<>();
            ArrayDeque<Long> posted = new ArrayDeque<>();
            List<Long> took = new ArrayList<>();
            long warm = System.nanoTime() + (long) (seconds / 4 * 1e9);
            long end = System.nanoTime() + (long) (seconds * 5 / 4 * 1e9);
            long start = 0;
            while (System.nanoTime() < end || !flying.isEmpty()) {
                while (flying.size() < underWay && System.nanoTime() < end) {
                    posted.add(System.nanoTime());
                    flying.add(link.write(from, 0, size, to.key(), 0));
                }
                flying.remove().await(LIMIT);
                long now = System.nanoTime();
                long begun = posted.remove();
                if (now < warm) {
                    continue;
                }
                if (start == 0) {
                    start = now;
                    continue;
                }
                took.add(now - begun);
            }
            double lasted = (System.nanoTime() - start) / 1e9;
            if (!from.buffer().equals(to.buffer())) {
                throw new AssertionError("wrong bytes");
            }
            took.sort(null);
            System.out.printf(
                    "{\"bytes\":%d,\"underWay\":%d,\"bytesPerSecond\":%.0f,\"transfersPerSecond\":%.0f,\"p50us\":%.1f}%n",
                    size,
                    underWay,
                    took.size() * (double) size / lasted,
                    took.size() / lasted,
                    took.isEmpty() ? 0 : took.get(took.size() / 2) / 1e3);
        }
    }
}
