package org.sluice.client;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A connection to the daemon of this host. Any thread may use it. One thread of its own, {@code sluice-client}, hears the daemon's
 * bell.
 *
 * <p>The daemon has to run as the same user and be visible under {@code /proc}: Java has no way to take descriptors, so memory is the
 * daemon's and found by its path there.
 */
public final class SluiceClient implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int MOST_NOTE = 60_000;
    private static final Duration ANSWER = Duration.ofSeconds(90);

    private final Path path;
    private final String name;
    private final Mailbox mailbox = new Mailbox(RANDOM.nextLong(), RANDOM.nextLong());
    private final Inbox inbox = new Inbox();
    private final Memories memories = new Memories(this::ask);
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final AtomicLong transferNumbers = new AtomicLong(1);
    /** Another one after a reopen. */
    private volatile Session session;

    private SluiceClient(Path path, String name) {
        this.path = path;
        this.name = name;
        this.session = connect();
    }

    /** Connects to the daemon at {@code $SLUICE_SOCKET}, under {@code $XDG_RUNTIME_DIR} or under {@code /run}. */
    public static SluiceClient open(String name) {
        String told = System.getenv("SLUICE_SOCKET");
        if (told != null && !told.isEmpty()) {
            return open(Path.of(told), name);
        }
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        if (runtime != null && Files.exists(Path.of(runtime, "sluice", "daemon"))) {
            return open(Path.of(runtime, "sluice", "daemon"), name);
        }
        return open(Path.of("/run/sluice/daemon"), name);
    }

    /** @param name what the daemon shows, up to 64 bytes. @throws SluiceClientException when no daemon is there */
    public static SluiceClient open(Path socket, String name) {
        return new SluiceClient(socket, name);
    }

    private Session connect() {
        return Session.open(path, name, mailbox, inbox);
    }

    /** Takes what has ended. */
    void take() {
        session.take();
    }

    Transfer post(Submission submission, @Nullable Mailbox target, byte @Nullable [] note) {
        if (note != null && note.length > MOST_NOTE) {
            throw new SluiceClientException(
                    SluiceClientException.INVALID,
                    "a notification has at most " + MOST_NOTE + " bytes, not " + note.length);
        }
        Transfer transfer = new Transfer(this, transferNumbers.getAndIncrement());
        submission.number(transfer.number());
        session.post(submission, transfer, target, note == null ? new byte[0] : note);
        return transfer;
    }

    void cancel(long request) {
        session.post(Submission.cancel(request));
    }

    private ByteBuffer ask(int type, ByteBuffer payload) {
        return session.ask(type, payload, ANSWER);
    }

    /** GPUs of the daemon's node. */
    public int gpus() {
        return session.gpus();
    }

    /** Another number after each reopen to a daemon that was restarted. */
    public long epoch() {
        return session.epoch();
    }

    /** What others send this client's notifications to. */
    public Mailbox mailbox() {
        return mailbox;
    }

    /** The next notification; null when none came in time. Waits. */
    public @Nullable Notification notification(Duration atMost) throws InterruptedException {
        take();
        return inbox.next(atMost);
    }

    /** Notifications that came faster than they were taken. */
    public long notesLost() {
        return inbox.lost();
    }

    /** What the daemon says of this client, as JSON. */
    public String stats() {
        return Wire.text(ask(Wire.STATS, Wire.buffer(0)), 0);
    }

    /** Fresh host memory, zeros. @param bytes at least 1 */
    public SharedMemory allocate(int gpu, long bytes) {
        return memories.allocate(gpu, bytes);
    }

    /**
     * Registers GPU memory that the program allocated and keeps allocated until the result is closed.
     *
     * <p>The daemon's copies know nothing of the program's streams: wait for the kernels that fill the memory before a write is posted or a
     * peer may read; kernels that are launched after a transfer is done see its bytes.
     *
     * @param offset of the first byte in the allocation
     * @param bytes at least 1
     * @throws SluiceClientException when the daemon has no such GPU, or its driver does not open the memory
     */
    public SharedMemory registerDevice(CudaAllocation allocation, long offset, long bytes) {
        return memories.registerDevice(allocation, offset, bytes);
    }

    RemoteKey imported(int link, String shared, Duration atMost) {
        ByteBuffer b = session.ask(Wire.IMPORT, Wire.named(link, (int) atMost.toMillis(), shared), atMost.plus(ANSWER));
        return new RemoteKey(b.getLong(0), b.getLong(8), b.getLong(16));
    }

    /** A link to a GPU of another daemon. Waits. @param address {@code host:port} where that daemon listens */
    public Link connect(String address, int localGpu, int remoteGpu, Duration atMost) {
        Link link = new Link(this, address, localGpu, remoteGpu, join(address, localGpu, remoteGpu, atMost));
        links.add(link);
        return link;
    }

    private int join(String address, int localGpu, int remoteGpu, Duration atMost) {
        byte[] bytes = address.getBytes(StandardCharsets.UTF_8);
        ByteBuffer b = Wire.buffer(16 + bytes.length);
        b.putInt(localGpu)
                .putInt(remoteGpu)
                .putInt((int) atMost.toMillis())
                .putInt(0)
                .put(bytes);
        return session.ask(Wire.LINK, b.flip(), atMost.plus(ANSWER)).getInt(0);
    }

    void unlink(Link link) {
        if (links.remove(link)) {
            ask(Wire.UNLINK, Wire.buffer(8).putInt(link.number()).putInt(0).flip());
        }
    }

    /** After a loss: finds the daemon again and presents the same memory (its bytes go along), keys and links. Waits. */
    public synchronized void reopen(Duration atMost) {
        if (!session.isLost()) {
            return;
        }
        long end = System.nanoTime() + atMost.toNanos();
        session = reconnect(end);
        memories.presentAgain();
        for (Link l : links) {
            l.renumber(join(
                    l.address(), l.localGpu(), l.remoteGpu(), Duration.ofNanos(Math.max(1, end - System.nanoTime()))));
        }
    }

    private Session reconnect(long end) {
        while (true) {
            try {
                return connect();
            } catch (SluiceClientException e) {
                boolean mayPass = e.isLost() || e.status() == SluiceClientException.IN_USE;
                if (!mayPass || System.nanoTime() - end > 0) {
                    throw e;
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SluiceClientException(SluiceClientException.DEADLINE, "interrupted", e);
            }
        }
    }

    /** Ends everything; transfers that are not done fail. Idempotent. */
    @Override
    public void close() {
        session.close();
    }
}
