import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.sluice.client.Link;
import org.sluice.client.Mailbox;
import org.sluice.client.Notification;
import org.sluice.client.RemoteKey;
import org.sluice.client.SharedMemory;
import org.sluice.client.SluiceClient;
import org.sluice.client.SluiceClientException;
import org.sluice.client.Transfer;

/** RoundTrip SOCKET_A SOCKET_B HOST:PORT_OF_B: what two Java clients of two daemons do with each other. */
public class RoundTrip {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    public static void main(String[] arguments) throws Exception {
        int size = 4 << 20;
        try (SluiceClient a = SluiceClient.open(Path.of(arguments[0]), "java a");
                SluiceClient b = SluiceClient.open(Path.of(arguments[1]), "java b")) {
            SharedMemory from = a.allocate(0, size);
            SharedMemory to = b.allocate(0, size);
            Link link = a.connect(arguments[2], 0, 0, LIMIT);
            to.share("java");
            RemoteKey there = link.remote("java", LIMIT);
            check(there.equals(to.key()) && RemoteKey.fromBytes(there.toBytes()).equals(there), "the key is another");

            ByteBuffer source = from.buffer();
            ByteBuffer target = to.buffer();
            for (int i = 0; i < size; i += 8) {
                source.putLong(i, i * 0x9e3779b97f4a7c15L);
            }
            check(link.write(from, 0, size, there, 0).await(LIMIT) == size, "not all was moved");
            check(source.equals(target), "wrong bytes");
            target.putLong(8, 42);
            link.read(from, 0, 4096, there, 0).await(LIMIT);
            check(source.getLong(8) == 42, "not read");

            link.write(from, 0, size, there, 0, b.mailbox(), new byte[] {1, 2, 3}).await(LIMIT);
            Notification note = b.notification(LIMIT);
            check(note != null && note.bytes().length == 3 && note.from().equals(a.mailbox()), "no note");
            link.notify(b.mailbox(), "alone".getBytes()).await(LIMIT);
            check(new String(b.notification(LIMIT).bytes()).equals("alone"), "no note alone");

            List<Transfer> many = new ArrayList<>();
            for (int i = 0; i < 5000; i++) {
                many.add(link.write(from, i * 8, 8, there, i * 8));
            }
            for (Transfer t : many) {
                check(t.await(LIMIT) == 8, "not 8 bytes");
            }
            check(source.equals(target), "wrong bytes after many");
            try {
                link.write(from, size, 1, there, 0).await(LIMIT);
                throw new AssertionError("out of bounds was let pass");
            } catch (SluiceClientException e) {
                check(e.status() == 3 && e.getMessage().contains("not inside memory"), e.toString());
            }
            check(a.stats().contains("\"name\":\"java a\""), a.stats());
            check(!new Mailbox(1, 2).equals(a.mailbox()), "a mailbox that can be guessed");
            from.close();
            link.close();
        }
        System.out.println("ok");
    }
}
