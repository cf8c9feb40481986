package org.sluice.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a daemon, from hello to its loss: requests go in by the rings, questions by the socket. Once it is lost it stays so;
 * what was under way then has failed. Any thread. One of its own, {@code sluice-client}, hears the daemon's bell and the answers.
 */
final class Session {
    private static final int ENTRIES = 256;
    private static final int LIST_BYTES = 1 << 20;
    private static final int TEXT_BYTES = 1 << 20;
    private static final int MOST_NAME = 64;
    /**
     * One less than a daemon takes. It reads no more of a client with that many questions unanswered, bells neither, and would sleep
     * while requests wait in the rings.
     */
    private static final int MOST_QUESTIONS = 15;
    /** Of WELCOME, before the path of the area. */
    private static final int WELCOME_BYTES = 88;

    private static final byte[] NO_NOTE = {};

    private final Wire wire;
    private final Rings rings;
    private final long epoch;
    private final int gpus;
    private final Inbox inbox;
    private final ReentrantLock posting = new ReentrantLock();
    private final ReentrantLock taking = new ReentrantLock();
    private final AtomicLong questionNumbers = new AtomicLong(1);
    private final Semaphore asking = new Semaphore(MOST_QUESTIONS);
    private final Map<Long, Transfer> transfers = new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<Wire.Message>> questions = new ConcurrentHashMap<>();
    private volatile boolean lost;

    private Session(Wire wire, Rings rings, ByteBuffer welcome, Inbox inbox) {
        this.wire = wire;
        this.rings = rings;
        this.epoch = welcome.getLong(16);
        this.gpus = welcome.getInt(12);
        this.inbox = inbox;
    }

    /**
     * Connects and says hello. Waits.
     *
     * @param name what the daemon shows, up to 64 bytes of it
     * @param inbox takes what comes for the mailbox
     * @throws SluiceClientException when no daemon is there, or it refuses
     */
    static Session open(Path path, String name, Mailbox mailbox, Inbox inbox) {
        try {
            Wire wire = new Wire(path);
            try {
                wire.send(Wire.HELLO, 0, hello(name, mailbox));
                Wire.Message answer = checked(wire.receive());
                ByteBuffer welcome = answer.payload();
                if (answer.type() != Wire.WELCOME
                        || welcome.remaining() < WELCOME_BYTES
                        || welcome.getLong(0) != Wire.MAGIC) {
                    throw new SluiceClientException(
                            SluiceClientException.NOT_SUPPORTED,
                            "what answers at " + path + " is no daemon of this release");
                }
                Rings rings = new Rings(welcome, Path.of(Wire.text(welcome, WELCOME_BYTES)));
                Session session = new Session(wire, rings, welcome, inbox);
                session.listen();
                return session;
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

    private static ByteBuffer hello(String name, Mailbox mailbox) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer hello = Wire.buffer(48 + Math.min(MOST_NAME, text.length));
        hello.putLong(Wire.MAGIC).putShort((short) 1).putShort((short) 1).putInt(0);
        hello.putLong(mailbox.high()).putLong(mailbox.low());
        hello.putInt((int) ProcessHandle.current().pid())
                .putInt(ENTRIES)
                .putInt(LIST_BYTES)
                .putInt(TEXT_BYTES);
        return hello.put(text, 0, Math.min(MOST_NAME, text.length)).flip();
    }

    private static Wire.Message checked(Wire.Message answer) {
        if (answer.type() == Wire.ERROR) {
            int status = answer.payload().remaining() >= 8 ? answer.payload().getInt(0) : 0;
            throw new SluiceClientException(status, status == 0 ? "refused" : Wire.text(answer.payload(), 8));
        }
        return answer;
    }

    /** GPUs of the daemon's node. */
    int gpus() {
        return gpus;
    }

    /** Drawn by the daemon at its start. */
    long epoch() {
        return epoch;
    }

    /** Whether the daemon is gone, or {@link #close} was called. */
    boolean isLost() {
        return lost;
    }

    private void listen() {
        Thread thread = new Thread(this::hear, "sluice-client");
        thread.setDaemon(true);
        thread.start();
    }

    private void hear() {
        try {
            while (true) {
                boolean more;
                do {
                    take();
                    taking.lock();
                    try {
                        more = rings.sleeps();
                    } finally {
                        taking.unlock();
                    }
                } while (more);
                Wire.Message message = wire.receive();
                CompletableFuture<Wire.Message> asked = questions.remove(message.request());
                if (message.type() != Wire.BELL && asked != null) {
                    asked.complete(message);
                }
            }
        } catch (IOException e) {
            take();
            lose();
        }
    }

    private void lose() {
        posting.lock();
        try {
            lost = true;
        } finally {
            posting.unlock();
        }
        wire.close();
        transfers.values().forEach(t -> t.failed(SluiceClientException.LOST, "the daemon is gone"));
        transfers.clear();
        questions
                .values()
                .forEach(q -> q.completeExceptionally(
                        new SluiceClientException(SluiceClientException.LOST, "the daemon is gone")));
        questions.clear();
    }

    private SluiceClientException gone() {
        return new SluiceClientException(SluiceClientException.LOST, "the daemon is gone; reopen() finds the next one");
    }

    /** Takes what has ended. Where another thread is at it, that one does. */
    void take() {
        if (!taking.tryLock()) {
            return;
        }
        boolean ring;
        try {
            ring = rings.take(this::completion);
        } finally {
            taking.unlock();
        }
        if (ring) {
            ring();
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
            case 2 -> inbox.add(new Notification(from, text));
            case 4 -> inbox.addLost(bytes);
            default -> {} // a link's end: its next transfer says why
        }
    }

    private void ring() {
        try {
            wire.send(Wire.BELL, 0, Wire.buffer(0));
        } catch (IOException e) {
            // the thread that hears sees the end
        }
    }

    /**
     * Posts a request, whose end its transfer is told. Waits for room in the ring.
     *
     * @param submission with the transfer's number
     * @param note for the target, where there is one
     * @throws SluiceClientException when the daemon is gone
     */
    void post(Submission submission, Transfer transfer, @Nullable Mailbox target, byte[] note) {
        transfers.put(transfer.number(), transfer);
        try {
            putIn(submission, target, note);
        } catch (SluiceClientException e) {
            transfers.remove(transfer.number());
            throw e;
        }
    }

    /** Posts a request whose end nobody asks for. Waits for room in the ring. @throws SluiceClientException when the daemon is gone */
    void post(Submission submission) {
        putIn(submission, null, NO_NOTE);
    }

    private void putIn(Submission submission, @Nullable Mailbox target, byte[] note) {
        while (!tryPost(submission, target, note)) {
            take();
            Thread.onSpinWait();
        }
    }

    private boolean tryPost(Submission submission, @Nullable Mailbox target, byte[] note) {
        boolean ring;
        posting.lock();
        try {
            if (lost) {
                throw gone();
            }
            if (!rings.hasRoom()) {
                return false;
            }
            if (target != null) {
                int at = rings.put(note);
                if (at < 0) {
                    return false;
                }
                submission.note(target, at, note.length);
            }
            ring = rings.publish(submission.bytes());
        } finally {
            posting.unlock();
        }
        if (ring) {
            ring();
        }
        return true;
    }

    /**
     * Asks over the socket. Waits, where many ask for its turn too.
     *
     * @return the answer's payload
     * @throws SluiceClientException what the daemon has against it, that it is gone, or that it does not answer in time
     */
    ByteBuffer ask(int type, ByteBuffer payload, Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        try {
            if (!asking.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new SluiceClientException(
                        SluiceClientException.DEADLINE, "the daemon does not answer what was asked before");
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        try {
            return answer(type, payload, end);
        } finally {
            asking.release();
        }
    }

    private static SluiceClientException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new SluiceClientException(SluiceClientException.DEADLINE, "interrupted", e);
    }

    private ByteBuffer answer(int type, ByteBuffer payload, long end) {
        long number = questionNumbers.getAndIncrement();
        CompletableFuture<Wire.Message> answer = new CompletableFuture<>();
        questions.put(number, answer);
        try {
            if (lost) {
                throw gone();
            }
            wire.send(type, number, payload);
            return checked(answer.get(end - System.nanoTime(), TimeUnit.NANOSECONDS))
                    .payload();
        } catch (IOException e) {
            throw new SluiceClientException(SluiceClientException.LOST, "the daemon is gone: " + e, e);
        } catch (TimeoutException e) {
            throw new SluiceClientException(SluiceClientException.DEADLINE, "the daemon does not answer", e);
        } catch (ExecutionException e) {
            throw new SluiceClientException(
                    SluiceClientException.LOST, String.valueOf(e.getCause().getMessage()), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            questions.remove(number);
        }
    }

    /** Says goodbye; transfers that are not done fail. Idempotent. */
    void close() {
        try {
            wire.send(Wire.GOODBYE, 0, Wire.buffer(0));
        } catch (IOException e) {
            // it is gone
        }
        lose();
    }
}
