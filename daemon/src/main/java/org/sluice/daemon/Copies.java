package org.sluice.daemon;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.linux.LinuxException;

/**
 * Moves memory that can shrink, by system calls, through memory of the daemon's own. A file that has shrunk ends the request that
 * needs it, and nothing else.
 */
final class Copies implements AutoCloseable {
    private static final int THREADS = 2;

    /** The most that one request may move so: it is there twice meanwhile. */
    private static final long MOST = 1L << 30;

    private final Node node;
    private final ExecutorService threads = Executors.newFixedThreadPool(
            THREADS, Thread.ofPlatform().daemon(true).name("daemon-copy-", 0).factory());

    Copies(Node node) {
        this.node = node;
    }

    static boolean needs(Plan plan) {
        return plan.pieces() == 1 && plan.memory(0) instanceof ClientMemory.Copied;
    }

    /**
     * Prepares a request: its bytes are brought into memory that the node can use.
     *
     * @param ready gets the request over that memory
     * @param failed gets what went wrong instead
     */
    void before(Job job, Consumer<Job> ready, Consumer<Throwable> failed) {
        Plan plan = job.plan();
        ClientMemory.Copied file = (ClientMemory.Copied) plan.memory(0);
        if (plan.bytes() > MOST) {
            throw new ClientException(
                    Status.QUOTA, "a request moves at most " + MOST + " bytes of memory that can shrink");
        }
        file.use();
        threads.execute(() -> {
            @Nullable Region region = null;
            try {
                region = node.allocate(file.gpu(), plan.bytes());
                if (!job.reads()) {
                    long n = file.file().read(region.address(), plan.bytes(), file.offset() + plan.offset(0));
                    whole(n, plan.bytes());
                }
                ClientMemory through = new ClientMemory.Mapped(0, new Key(0, 0), region, null);
                ready.accept(job.over(
                        Plan.one(through, 0, plan.keyHigh(0), plan.keyLow(0), plan.remoteOffset(0), plan.bytes())));
            } catch (LinuxException | RuntimeException e) {
                if (region != null) {
                    region.close();
                }
                file.release();
                failed.accept(fault(e));
            }
        });
    }

    /** After the request is over: brings what was read into the file, and frees the memory between. */
    void after(Job original, Job over, @Nullable Throwable failure, Consumer<@Nullable Throwable> done) {
        threads.execute(() -> {
            ClientMemory.Mapped through = (ClientMemory.Mapped) over.plan().memory(0);
            ClientMemory.Copied file = (ClientMemory.Copied) original.plan().memory(0);
            @Nullable Throwable why = failure;
            try {
                if (why == null && original.reads()) {
                    // never makes the file longer: what has shrunk stays so
                    long room =
                            file.file().size() - file.offset() - original.plan().offset(0);
                    whole(
                            Math.min(room, original.plan().bytes()),
                            original.plan().bytes());
                    file.file()
                            .write(
                                    through.region().address(),
                                    original.plan().bytes(),
                                    file.offset() + original.plan().offset(0));
                }
            } catch (LinuxException | RuntimeException e) {
                why = fault(e);
            }
            file.release();
            through.free(Registrar.FREE_NANOS);
            done.accept(why);
        });
    }

    private static void whole(long bytes, long wanted) {
        if (bytes < wanted) {
            throw new ClientException(
                    Status.MEMORY_FAULT,
                    "the file has shrunk: " + Math.max(0, bytes) + " bytes are there of " + wanted + " to be moved");
        }
    }

    private static Throwable fault(Exception e) {
        return e instanceof LinuxException
                ? new ClientException(Status.MEMORY_FAULT, String.valueOf(e.getMessage()), e)
                : e;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
