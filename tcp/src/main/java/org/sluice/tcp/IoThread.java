package org.sluice.tcp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Epoll;
import org.sluice.linux.EventFd;
import org.sluice.linux.LinuxException;
import org.sluice.linux.VectorIo;
import org.sluice.spi.Threads;
import org.sluice.spi.TransportException;

/**
 * A thread that moves the bytes of any number of connections in one direction. It waits in {@code epoll}, so a connection that is stuck
 * holds no other up. With one connection alone it waits in the middle of a frame too, for a moment: that takes fewer calls.
 */
final class IoThread {
    private static final Logger log = LoggerFactory.getLogger(IoThread.class);

    /** Between two looks at connections that are idle or stuck. */
    private static final int LOOK_MILLIS = 1000;

    /** The same, where one waits for its time. */
    private static final int SOON_MILLIS = 20;

    private static final long LOOK_NANOS = LOOK_MILLIS * 1_000_000L;
    private static final long SOON_NANOS = SOON_MILLIS * 1_000_000L;

    /** Turns of a connection that has the thread for itself, and goes on, before the kernel is asked what else there is. */
    private static final int MOST_PASSES = 8;

    /** It copies between sockets and memory, and calls nothing deep. */
    private static final long STACK_BYTES = 256 << 10;

    /** What nobody wants is read into. */
    private static final int SCRATCH_BYTES = 256 << 10;

    /** Tokens of connections are their places. */
    private static final long WAKE = -1;

    /** What a turn of a connection works with. */
    record Tools(VectorIo io, MemorySegment scratch) {}

    private final Thread thread;
    private final Epoll epoll;
    private final EventFd wake;
    private final AtomicBoolean sleeping = new AtomicBoolean();
    private final AtomicInteger load = new AtomicInteger();
    private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Lane> wanting = new AtomicReference<>();
    private final List<@Nullable Connection> connections = new ArrayList<>();
    private int count;
    private int passes;
    private final ArrayDeque<Connection> runnable = new ArrayDeque<>();
    private long lookedAt = System.nanoTime();
    private boolean soon;
    private volatile boolean closing;

    /** Something that the thread does for another, which waits for it. */
    private static final class Task {
        private final Runnable work;
        private final Thread caller = Thread.currentThread();
        private volatile boolean done;

        Task(Runnable work) {
            this.work = work;
        }
    }

    private IoThread(String name, Runnable placement, Epoll epoll, EventFd wake) {
        this.epoll = epoll;
        this.wake = wake;
        this.thread = Thread.ofPlatform()
                .name(name)
                .daemon(true)
                .stackSize(STACK_BYTES)
                .unstarted(() -> {
                    placement.run();
                    run();
                });
    }

    /**
     * Starts one.
     *
     * @param placement puts it on its CPUs, first thing
     * @throws org.sluice.spi.ThreadLimitException where the machine gives no thread
     */
    static IoThread start(String name, Runnable placement) throws TransportException {
        try {
            Epoll epoll = Epoll.open();
            EventFd wake = EventFd.open();
            epoll.add(wake.fd(), Epoll.IN | Epoll.EDGE, WAKE);
            IoThread io = new IoThread(name, placement, epoll, wake);
            try {
                Thread started = Threads.start(io.thread);
                log.debug("{} runs", started.getName());
            } catch (RuntimeException e) {
                wake.close();
                epoll.close();
                throw e;
            }
            return io;
        } catch (LinuxException e) {
            throw new TransportException(name + ": " + e.getMessage(), e);
        }
    }

    /** Connections that it has, or will have. Any thread. */
    int load() {
        return load.get();
    }

    /** Gives it a connection, which belongs to it from now on. Any thread. */
    void add(Connection connection) {
        load.incrementAndGet();
        if (!submit(() -> register(connection))) {
            connection.end(new TransportException(connection.description() + ": the transport is closed"));
        }
    }

    /** A lane has something posted that the thread does not know of. Any thread; the lane is in no stack. */
    void attend(Lane lane) {
        Lane first;
        do {
            first = wanting.get();
            lane.next(first);
        } while (!wanting.compareAndSet(first, lane));
        wake();
    }

    /** Has the thread do something, and waits until it has. Returns at once where the thread has ended: then nobody needs it. */
    void call(Runnable work) {
        if (Thread.currentThread() == thread) {
            work.run();
            return;
        }
        Task task = new Task(work);
        tasks.add(task);
        wake();
        boolean interrupted = false;
        while (!task.done && thread.isAlive()) {
            LockSupport.parkNanos(this, LOOK_NANOS);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Has the thread do something when it comes round. @return false where it has ended */
    boolean submit(Runnable work) {
        tasks.add(new Task(work));
        wake();
        return !closing;
    }

    private void wake() {
        if (sleeping.get() && sleeping.compareAndSet(true, false)) {
            wake.signal();
        }
    }

    /** Closes every connection and ends. Waits for the thread, which waits for nobody. Idempotent. */
    void close() {
        closing = true;
        wake();
        boolean interrupted = false;
        while (thread.isAlive() && Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // --- the thread's own
    // -----------------------------------------------------------------------------------------------

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            Tools tools = new Tools(new VectorIo(arena), arena.allocate(SCRATCH_BYTES, 64));
            Epoll.Ready ready = this::ready;
            while (!closing) {
                takeTasks();
                takeWanting();
                for (int n = runnable.size(); n > 0; n--) {
                    turn(runnable.poll(), tools);
                }
                if (count != 1 || runnable.isEmpty() || ++passes == MOST_PASSES) {
                    passes = 0;
                    int events = epoll.await(rest(), ready);
                    sleeping.set(false);
                    if (events == 0 || soon) {
                        look();
                    }
                }
            }
        } catch (LinuxException | RuntimeException | Error e) {
            log.error("{} has ended: {}", thread.getName(), e.toString(), e);
        } finally {
            closing = true;
            for (Connection c : all()) {
                end(c, new TransportException(c.description() + ": " + thread.getName() + " has ended"));
            }
            takeTasks();
            wake.close();
            epoll.close();
        }
    }

    /** How long it may sleep, in milliseconds; whoever has something for it wakes it from now on. */
    private int rest() {
        if (!runnable.isEmpty()) {
            return 0;
        }
        sleeping.set(true);
        if (!tasks.isEmpty() || wanting.get() != null || closing) {
            return 0;
        }
        return count == 0 ? -1 : soon ? SOON_MILLIS : LOOK_MILLIS;
    }

    private void ready(long token, int events) {
        Connection c = token == WAKE ? null : connections.get((int) token);
        if (c != null) {
            c.ready(events);
            enqueue(c);
        }
    }

    private List<Connection> all() {
        return connections.stream().filter(Objects::nonNull).toList();
    }

    private void takeTasks() {
        for (Task t = tasks.poll(); t != null; t = tasks.poll()) {
            try {
                t.work.run();
            } finally {
                t.done = true;
                LockSupport.unpark(t.caller);
            }
        }
    }

    private void takeWanting() {
        if (wanting.get() == null) {
            return;
        }
        Lane lane = wanting.getAndSet(null);
        while (lane != null) {
            Lane next = lane.next();
            lane.next(null);
            lane.attend();
            lane = next;
        }
    }

    private void register(Connection c) {
        int place = connections.indexOf(null);
        if (place < 0) {
            place = connections.size();
            connections.add(c);
        } else {
            connections.set(place, c);
        }
        count++;
        c.token(place);
        try {
            if (closing) {
                throw new IOException("the transport is closed");
            }
            epoll.add(c.socket().fd(), c.interest(), place);
            enqueue(c);
        } catch (IOException e) {
            end(c, new TransportException(c.description() + ": " + e.getMessage(), e));
        }
    }

    /** It has something to do. */
    void enqueue(Connection c) {
        if (!c.isQueued()) {
            c.queued(true);
            runnable.add(c);
        }
    }

    /** What it waits for has changed. */
    void interestChanged(Connection c) throws LinuxException {
        epoll.change(c.socket().fd(), c.interest(), c.token());
    }

    private void turn(@Nullable Connection c, Tools tools) {
        if (c == null || c.isEnded()) {
            return;
        }
        c.queued(false);
        c.waits(count == 1 && runnable.isEmpty());
        try {
            if (c.turn(tools)) {
                enqueue(c);
            }
        } catch (IOException e) {
            end(c, new TransportException(c.description() + ": " + e.getMessage(), e));
        } catch (RuntimeException | Error e) {
            log.error("{}: internal error", c.description(), e);
            end(c, new TransportException(c.description() + ": internal error: " + e, e));
        }
    }

    private void look() {
        long now = System.nanoTime();
        if (now - lookedAt < (soon ? SOON_NANOS : LOOK_NANOS) / 2) {
            return;
        }
        lookedAt = now;
        soon = false;
        for (Connection c : all()) {
            try {
                c.look(now);
            } catch (IOException e) {
                end(c, new TransportException(c.description() + ": " + e.getMessage(), e));
            }
        }
    }

    /** Somebody waits for a time that is near. */
    void lookSoon() {
        soon = true;
    }

    /** Ends a connection; its lanes fail for this reason. Nothing where it has ended already. */
    void end(Connection c, TransportException why) {
        if (c.isEnded()) {
            return;
        }
        connections.set((int) c.token(), null);
        count--;
        load.decrementAndGet();
        try {
            epoll.remove(c.socket().fd());
        } catch (LinuxException e) {
            log.debug("{}: {}", c.description(), e.getMessage());
        }
        c.end(why);
    }
}
