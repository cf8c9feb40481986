package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Descriptor;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;

/**
 * One client that has said hello: its area, its rings and what it holds. Its submissions are taken by the serving thread; its requests
 * end on any; its end is a thread of its own, so that nobody waits for it.
 */
final class ClientSession {
    private static final Logger log = LoggerFactory.getLogger(ClientSession.class);
    private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Connection connection;
    private final Hello hello;
    private final Services services;
    private final Area area;
    private final EventFd daemonBell;
    private final EventFd clientBell;
    private final CompletionRing completions;
    private final SubmissionRing submissions;
    private final Submissions decoder;
    private final PieceLists lists;
    private final Holdings holdings;
    private final Dealer.Queue queue;
    private final Counters counters = new Counters();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final AtomicInteger piecesUnderWay = new AtomicInteger();
    private final List<Descriptor> kept = new ArrayList<>();
    private volatile boolean going;

    private ClientSession(
            Connection connection, Hello hello, Services services, Area area, EventFd daemonBell, EventFd clientBell) {
        this.connection = connection;
        this.hello = hello;
        this.services = services;
        this.area = area;
        this.daemonBell = daemonBell;
        this.clientBell = clientBell;
        this.completions =
                new CompletionRing(area, this::ring, services.quotas().noteBytes());
        this.submissions = new SubmissionRing(area, completions);
        this.holdings = new Holdings(services.quotas());
        this.lists = new PieceLists(area, services.quotas().pieces(), holdings::memory);
        this.decoder =
                new Submissions(this, area, lists, services.transferDeadline().toNanos());
        this.queue = services.dealer().open(this::ended);
    }

    /** @throws LinuxException when there is no memory or descriptor left for it, of which it keeps none then */
    static ClientSession open(Connection connection, Hello hello, Services services) throws LinuxException {
        Area area = Area.of(hello);
        @Nullable EventFd daemonBell = null;
        try {
            daemonBell = EventFd.open();
            return new ClientSession(connection, hello, services, area, daemonBell, EventFd.open());
        } catch (LinuxException e) {
            if (daemonBell != null) {
                daemonBell.close();
            }
            area.close();
            throw e;
        }
    }

    private void ring() {
        if (hello.takesDescriptors()) {
            clientBell.signal();
        } else {
            connection.writer().bell();
        }
    }

    Connection connection() {
        return connection;
    }

    Holdings holdings() {
        return holdings;
    }

    PieceLists lists() {
        return lists;
    }

    Key mailbox() {
        return hello.mailbox();
    }

    boolean takesDescriptors() {
        return hello.takesDescriptors();
    }

    /** Its end has begun. */
    boolean isGoing() {
        return going;
    }

    /** What the client rings when the daemon sleeps. */
    EventFd daemonBell() {
        return daemonBell;
    }

    /** Requests over the socket that are being answered. */
    AtomicInteger unanswered() {
        return unanswered;
    }

    synchronized void keepUntilEnd(Descriptor descriptor) {
        kept.add(descriptor);
    }

    /** What memory a client may register here: 1 host memory, 2 GPU memory. */
    private short serves() {
        return (short) (services.node().backend().equals("host") ? 1 : 2);
    }

    Message welcome(long request) throws LinuxException {
        byte[] path = hello.takesDescriptors()
                ? new byte[0]
                : ("/proc/" + ProcessHandle.current().pid() + "/fd/" + area.fd()).getBytes(StandardCharsets.UTF_8);
        Quotas q = services.quotas();
        ByteBuffer b = Message.buffer(88 + path.length);
        b.putLong(Protocol.MAGIC).putShort((short) Protocol.VERSION).putShort(serves());
        b.putInt(services.node().gpus()).putLong(services.epoch()).putLong(area.size());
        b.putInt(area.entries()).putInt(2 * area.entries());
        b.putInt(Protocol.SUBMISSIONS).putInt(area.completions());
        b.putInt(area.texts()).putInt(area.textBytes());
        b.putInt(area.lists()).putInt(area.listBytes());
        b.putLong(q.memoryBytes()).putInt(q.memories()).putInt(q.links());
        b.putInt(q.pieces()).putInt(Quotas.MOST_NOTE).put(path).flip();
        List<Descriptor> descriptors = new ArrayList<>();
        if (hello.takesDescriptors()) {
            try {
                for (int fd : new int[] {area.fd(), daemonBell.fd(), clientBell.fd()}) {
                    descriptors.add(Descriptor.duplicateOf(fd));
                }
            } catch (LinuxException e) {
                descriptors.forEach(Descriptor::close);
                throw e;
            }
        }
        return new Message(Protocol.WELCOME, request, b, descriptors);
    }

    /** The client, as messages name it. */
    @Override
    public String toString() {
        return "client " + connection.number() + " (" + hello.name() + ", process "
                + connection.peer().pid() + ")";
    }

    // what the serving thread does

    /** Takes submissions and brings what waited. @return whether there was anything */
    boolean turn() throws Violation {
        boolean any = submissions.take(entry -> {
                    counters.taken();
                    decoder.take(entry);
                })
                > 0;
        completions.flush();
        return any;
    }

    /** Says whether the client has to ring for its submissions. */
    void sleeps(boolean sleeps) {
        submissions.sleeps(sleeps);
    }

    boolean isReady() throws Violation {
        return submissions.isReady();
    }

    /** @throws ClientException when its lists are too long together with those of the requests under way */
    void begin(Job job) {
        int pieces = job.plan().ownPieces();
        if (piecesUnderWay.addAndGet(pieces) > Quotas.MOST_PIECES_UNDER_WAY) {
            piecesUnderWay.addAndGet(-pieces);
            throw new ClientException(
                    Status.QUOTA,
                    "requests under way may have " + Quotas.MOST_PIECES_UNDER_WAY
                            + " pieces in their lists, all together; prepare lists that are used often");
        }
        if (Copies.needs(job.plan())) {
            services.copies().before(job, queue::add, why -> finish(job, why));
        } else {
            queue.add(job);
        }
    }

    void cancel(long number, long request) {
        queue.cancel(request);
        completions.ended(number, Status.DONE, 0, "");
    }

    void failed(long number, ClientException why) {
        counters.failed();
        completions.ended(number, why.status(), 0, String.valueOf(why.getMessage()));
    }

    // what any thread does

    private void ended(Job job, @Nullable Throwable failure) {
        @Nullable Job original = job.original();
        if (original != null) {
            services.copies().after(original, job, failure, why -> finish(original, why));
        } else {
            finish(job, failure);
        }
    }

    /** The bytes are where they belong, or it has failed: what may be left is the notification. */
    private void finish(Job job, @Nullable Throwable failure) {
        @Nullable Notification note = job.noteLeft();
        if (failure != null || note == null || going) {
            told(job, failure);
            return;
        }
        try {
            job.link().link().note(note.encode()).whenComplete((x, why) -> told(job, why));
        } catch (RuntimeException e) {
            told(job, e);
        }
    }

    private void told(Job job, @Nullable Throwable failure) {
        piecesUnderWay.addAndGet(-job.plan().ownPieces());
        if (failure == null) {
            counters.done(job.reads(), job.plan().bytes());
            completions.ended(job.number(), Status.DONE, job.plan().bytes(), "");
        } else {
            Throwable why =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            counters.failed();
            completions.ended(job.number(), Status.of(why), 0, String.valueOf(why.getMessage()));
        }
    }

    void notified(Notification note) {
        counters.note(completions.note(note.bytes(), note.from()));
    }

    void linkEnded(int number, String why) {
        completions.linkEnded(number, why);
    }

    ClientStatus status() {
        return new ClientStatus(
                connection.number(),
                hello.name(),
                connection.peer().pid(),
                connection.peer().uid(),
                holdings.memoryCount(),
                holdings.memoryBytes(),
                holdings.linkCount(),
                counters.counts(),
                (System.nanoTime() - connection.since()) / 1e9);
    }

    // its end

    /** Peers reach nothing of it any more and nothing of it is begun. Serving thread, which forgets it then. */
    void leave() {
        going = true;
        services.mailboxes().close(hello.mailbox(), this);
        holdings.memories().forEach(ClientMemory::withdraw);
        completions.close();
    }

    /** After {@link #leave}: waits for what is under way, then frees everything. Not for the serving thread. */
    void bury() {
        if (!queue.drain(DRAIN_NANOS)) {
            log.warn(
                    "client {} ({}): transfers are still under way a minute after its end",
                    connection.number(),
                    hello.name());
            while (!queue.drain(DRAIN_NANOS)) {
                if (Thread.currentThread().isInterrupted()) {
                    return; // the daemon is going: the process's end frees the rest
                }
            }
        }
        queue.close();
        freeMemories();
        holdings.parts().close();
        holdings.closePrepared();
        while (unanswered.get() > 0) { // requests over the socket, whose waits have deadlines
            LockSupport.parkNanos(1_000_000);
        }
        freeMemories();
        holdings.links().values().forEach(services.links()::close);
        area.close();
        daemonBell.close();
        clientBell.close();
        synchronized (this) {
            kept.forEach(Descriptor::close);
        }
        connection.close();
        log.info("client {} ({}) is gone", connection.number(), hello.name());
    }

    /** Frees what a session has that never began. After {@link #leave}; its connection lives on. */
    void abandon() {
        queue.close();
        area.close();
        daemonBell.close();
        clientBell.close();
    }

    private void freeMemories() {
        for (ClientMemory memory : holdings.memories()) {
            holdings.takeNames(memory.number()).forEach(services.links()::unshare);
            memory.withdraw();
            while (!memory.free(Registrar.FREE_NANOS)) {
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
                log.warn("client {} ({}): a peer still uses its memory", connection.number(), hello.name());
            }
            services.keys().giveBack(memory.key(), false);
            holdings.removeMemory(memory.number());
            holdings.unreserve(memory);
        }
    }
}
