package org.sluice.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
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
    private static final int ENTRIES = 256;
    private static final int LIST_BYTES = 1 << 20;
    private static final int TEXT_BYTES = 1 << 20;
    private static final int MOST_NOTE = 60_000;
    private static final int CUDA_IPC = 2;
    private static final int OURS = 4;
    /** The GPU that memory is on, whatever the daemon's number of it. */
    private static final int WHICHEVER = -1;

    private static final int FOR_EVER = 1;
    private static final Duration ANSWER = Duration.ofSeconds(90);

    private final Path path;
    private final String name;
    private final Mailbox mailbox = new Mailbox(RANDOM.nextLong(), RANDOM.nextLong());
    private final ReentrantLock posting = new ReentrantLock();
    private final ReentrantLock taking = new ReentrantLock();
    private final AtomicLong numbers = new AtomicLong(1);
    private final Map<Long, Transfer> transfers = new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<Wire.Message>> questions = new ConcurrentHashMap<>();
    private final BlockingQueue<Notification> notes = new LinkedBlockingQueue<>();
    private final Set<SharedMemory> memories = ConcurrentHashMap.newKeySet();
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final AtomicLong notesLost = new AtomicLong();
    private volatile Session session;

    /** One connection to a daemon; another one after a reopen. */
    private static final class Session {
        private final Wire wire;
        private final Rings rings;
        private final long epoch;
        private final int gpus;
        private volatile boolean lost;

        Session(Wire wire, Rings rings, long epoch, int gpus) {
            this.wire = wire;
            this.rings = rings;
            this.epoch = epoch;
            this.gpus = gpus;
        }
    }

    private SluiceClient(Path path, String name) {
        this.path = path;
        this.name = name;
        this.session = connect();
        listen(session);
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
        try {
            Wire wire = new Wire(path);
            try {
                byte[] text = name.getBytes(StandardCharsets.UTF_8);
                ByteBuffer hello = Wire.buffer(48 + Math.min(64, text.length));
                hello.putLong(Wire.MAGIC)
                        .putShort((short) 1)
                        .putShort((short) 1)
                        .putInt(0);
                hello.putLong(mailbox.high()).putLong(mailbox.low());
                hello.putInt((int) ProcessHandle.current().pid())
                        .putInt(ENTRIES)
                        .putInt(LIST_BYTES)
                        .putInt(TEXT_BYTES);
                hello.put(text, 0, Math.min(64, text.length)).flip();
                wire.send(Wire.HELLO, 0, hello);
                Wire.Message answer = checked(wire.receive());
                ByteBuffer welcome = answer.payload();
                if (answer.type() != Wire.WELCOME || welcome.remaining() < 88 || welcome.getLong(0) != Wire.MAGIC) {
                    throw new SluiceClientException(
                            SluiceClientException.NOT_SUPPORTED,
                            "what answers at " + path + " is no daemon of this release");
                }
                Rings rings = new Rings(welcome, Path.of(text(welcome, 88)));
                return new Session(wire, rings, welcome.getLong(16), welcome.getInt(12));
            } catch (IOException | RuntimeException e) {
                wire.close();
                throw e;
            }
        } catch (IOException e) {
            throw new SluiceClientException(
                    SluiceClientException.LOST,
                    "no daemon of this user at " + path + " (" + e + "): start 'sluice daemon', or set SLUICE_SOCKET",
                    e);
        }
    }

    private static String text(ByteBuffer b, int from) {
        byte[] bytes = new byte[b.limit() - from];
        b.get(from, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static Wire.Message checked(Wire.Message answer) {
        if (answer.type() == Wire.ERROR) {
            int status = answer.payload().remaining() >= 8 ? answer.payload().getInt(0) : 0;
            throw new SluiceClientException(status, status == 0 ? "refused" : text(answer.payload(), 8));
        }
        return answer;
    }

    private void listen(Session s) {
        Thread thread = new Thread(() -> hear(s), "sluice-client");
        thread.setDaemon(true);
        thread.start();
    }

    private void hear(Session s) {
        try {
            while (true) {
                boolean more;
                do {
                    take(s);
                    taking.lock();
                    try {
                        more = s.rings.sleeps();
                    } finally {
                        taking.unlock();
                    }
                } while (more);
                Wire.Message message = s.wire.receive();
                CompletableFuture<Wire.Message> asked = questions.remove(message.request());
                if (message.type() != Wire.BELL && asked != null) {
                    asked.complete(message);
                }
            }
        } catch (IOException e) {
            take(s);
            lose(s);
        }
    }

    private void lose(Session s) {
        posting.lock();
        try {
            s.lost = true;
        } finally {
            posting.unlock();
        }
        s.wire.close();
        transfers.values().forEach(t -> t.failed(SluiceClientException.LOST, "the daemon is gone"));
        transfers.clear();
        questions
                .values()
                .forEach(q -> q.completeExceptionally(
                        new SluiceClientException(SluiceClientException.LOST, "the daemon is gone")));
        questions.clear();
    }

    /** Takes what has ended. */
    void take() {
        take(session);
    }

    private void take(Session s) {
        if (!taking.tryLock()) {
            return; // somebody is at it
        }
        boolean ring;
        try {
            ring = s.rings.take(this::completion);
        } finally {
            taking.unlock();
        }
        if (ring) {
            ring(s);
        }
    }

    private void completion(long number, int kind, int status, long bytes, byte[] text, Mailbox from) {
        switch (kind) {
            case 1 -> {
                Transfer t = transfers.remove(number);
                if (t != null && status == 0) {
                    t.done(bytes);
                } else if (t != null) {
                    t.failed(status, new String(text, StandardCharsets.UTF_8));
                }
            }
            case 2 -> notes.add(new Notification(from, text));
            case 4 -> notesLost.addAndGet(bytes);
            default -> {} // a link's end: its next transfer says why
        }
    }

    private void ring(Session s) {
        try {
            s.wire.send(Wire.BELL, 0, Wire.buffer(0));
        } catch (IOException e) {
            // the thread that hears sees the end
        }
    }

    Transfer post(Submission submission, @Nullable Mailbox target, byte @Nullable [] note) {
        if (note != null && note.length > MOST_NOTE) {
            throw new SluiceClientException(
                    SluiceClientException.INVALID,
                    "a notification has at most " + MOST_NOTE + " bytes, not " + note.length);
        }
        long number = numbers.getAndIncrement();
        Transfer transfer = new Transfer(this, number);
        transfers.put(number, transfer);
        submission.number(number);
        try {
            while (!tryPost(submission, target, note == null ? new byte[0] : note)) {
                take();
                Thread.onSpinWait();
            }
        } catch (SluiceClientException e) {
            transfers.remove(number);
            throw e;
        }
        return transfer;
    }

    private boolean tryPost(Submission submission, @Nullable Mailbox target, byte[] note) {
        Session s = session;
        boolean ring;
        posting.lock();
        try {
            if (s.lost) {
                throw new SluiceClientException(
                        SluiceClientException.LOST, "the daemon is gone; reopen() finds the next one");
            }
            if (!s.rings.hasRoom()) {
                return false;
            }
            if (target != null) {
                int at = s.rings.put(note);
                if (at < 0) {
                    return false;
                }
                submission.note(target, at, note.length);
            }
            ring = s.rings.publish(submission.bytes());
        } finally {
            posting.unlock();
        }
        if (ring) {
            ring(s);
        }
        return true;
    }

    void cancel(long request) {
        while (!tryPost(Submission.cancel(request), null, new byte[0])) {
            take();
            Thread.onSpinWait();
        }
    }

    private ByteBuffer ask(int type, ByteBuffer payload, Duration atMost) {
        Session s = session;
        long number = numbers.getAndIncrement();
        CompletableFuture<Wire.Message> answer = new CompletableFuture<>();
        questions.put(number, answer);
        try {
            if (s.lost) {
                throw new SluiceClientException(
                        SluiceClientException.LOST, "the daemon is gone; reopen() finds the next one");
            }
            s.wire.send(type, number, payload);
            return checked(answer.get(atMost.toMillis(), TimeUnit.MILLISECONDS)).payload();
        } catch (IOException e) {
            throw new SluiceClientException(SluiceClientException.LOST, "the daemon is gone: " + e, e);
        } catch (TimeoutException e) {
            throw new SluiceClientException(SluiceClientException.DEADLINE, "the daemon does not answer", e);
        } catch (ExecutionException e) {
            throw new SluiceClientException(
                    SluiceClientException.LOST, String.valueOf(e.getCause().getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SluiceClientException(SluiceClientException.DEADLINE, "interrupted", e);
        } finally {
            questions.remove(number);
        }
    }

    /** GPUs of the daemon's node. */
    public int gpus() {
        return session.gpus;
    }

    /** Another number after each reopen to a daemon that was restarted. */
    public long epoch() {
        return session.epoch;
    }

    /** What others send this client's notifications to. */
    public Mailbox mailbox() {
        return mailbox;
    }

    /** The next notification; null when none came in time. Waits. */
    public @Nullable Notification notification(Duration atMost) throws InterruptedException {
        take();
        return notes.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Notifications that came faster than they were taken. */
    public long notesLost() {
        return notesLost.get();
    }

    /** What the daemon says of this client, as JSON. */
    public String stats() {
        return text(ask(Wire.STATS, Wire.buffer(0), ANSWER), 0);
    }

    /** Fresh host memory, zeros. @param bytes at least 1 */
    public SharedMemory allocate(int gpu, long bytes) {
        RemoteKey key = new RemoteKey(RANDOM.nextLong(), RANDOM.nextLong(), bytes);
        ByteBuffer answer = ask(Wire.REGISTER, registration(gpu, key), ANSWER);
        SharedMemory memory = new SharedMemory(this, gpu, key, answer.getInt(0), map(text(answer, 16), bytes));
        memories.add(memory);
        return memory;
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
        RemoteKey key = new RemoteKey(RANDOM.nextLong(), RANDOM.nextLong(), bytes);
        SharedMemory memory = new SharedMemory(this, key, allocation, offset);
        present(memory, allocation);
        memories.add(memory);
        return memory;
    }

    private void present(SharedMemory memory, CudaAllocation allocation) {
        ByteBuffer b = Wire.buffer(72 + CudaAllocation.HANDLE_BYTES);
        b.putInt(CUDA_IPC).putInt(WHICHEVER);
        b.putLong(memory.key().high()).putLong(memory.key().low());
        b.putLong(memory.offset()).putLong(memory.size()).putLong(allocation.bufferId());
        b.put(allocation.uuid()).putLong(allocation.bytes()).put(allocation.handle());
        ByteBuffer answer = ask(Wire.REGISTER, b.flip(), ANSWER);
        memory.opened(answer.getInt(0), answer.getInt(16));
    }

    private static ByteBuffer registration(int gpu, RemoteKey key) {
        ByteBuffer b = Wire.buffer(48);
        b.putInt(OURS)
                .putInt(gpu)
                .putLong(key.high())
                .putLong(key.low())
                .putLong(0)
                .putLong(key.bytes())
                .putLong(0);
        return b.flip();
    }

    private static List<MappedByteBuffer> map(String path, long bytes) {
        List<MappedByteBuffer> pieces = new ArrayList<>();
        try (FileChannel file = FileChannel.open(Path.of(path), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (long at = 0; at < bytes; at += SharedMemory.BUFFER_BYTES) {
                pieces.add(
                        file.map(FileChannel.MapMode.READ_WRITE, at, Math.min(SharedMemory.BUFFER_BYTES, bytes - at)));
            }
        } catch (IOException e) {
            throw new SluiceClientException(
                    SluiceClientException.NOT_SUPPORTED,
                    "the daemon's memory at " + path + " cannot be mapped (" + e + "): it has to run as the same user",
                    e);
        }
        return pieces;
    }

    void free(SharedMemory memory) {
        if (memories.remove(memory)) {
            ask(
                    Wire.DEREGISTER,
                    Wire.buffer(8).putInt(memory.number()).putInt(FOR_EVER).flip(),
                    ANSWER);
        }
    }

    void share(int memory, String shared) {
        ask(Wire.SHARE, named(memory, 0, shared), ANSWER);
    }

    private static ByteBuffer named(int first, int second, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Wire.buffer(8 + bytes.length)
                .putInt(first)
                .putInt(second)
                .put(bytes)
                .flip();
    }

    RemoteKey imported(int link, String shared, Duration atMost) {
        ByteBuffer b = ask(Wire.IMPORT, named(link, (int) atMost.toMillis(), shared), atMost.plus(ANSWER));
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
        return ask(Wire.LINK, b.flip(), atMost.plus(ANSWER)).getInt(0);
    }

    void unlink(Link link) {
        if (links.remove(link)) {
            ask(Wire.UNLINK, Wire.buffer(8).putInt(link.number()).putInt(0).flip(), ANSWER);
        }
    }

    /** After a loss: finds the daemon again and presents the same memory (its bytes go along), keys and links. Waits. */
    public synchronized void reopen(Duration atMost) {
        if (!session.lost) {
            return;
        }
        long end = System.nanoTime() + atMost.toNanos();
        Session fresh = reconnect(end);
        session = fresh;
        listen(fresh);
        for (SharedMemory m : memories) {
            CudaAllocation device = m.device();
            if (device != null) {
                present(m, device);
                continue;
            }
            ByteBuffer answer = ask(Wire.REGISTER, registration(m.gpu(), m.key()), ANSWER);
            m.moved(answer.getInt(0), map(text(answer, 16), m.size()));
        }
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
        Session s = session;
        try {
            s.wire.send(Wire.GOODBYE, 0, Wire.buffer(0));
        } catch (IOException e) {
            // it is gone
        }
        lose(s);
    }
}
