package org.sluice.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which CPUs threads may run on: {@code sched_getaffinity(2)} and {@code sched_setaffinity(2)}. Any thread may call it. The mask
 * belongs to an operating system thread, so it says nothing for a virtual one.
 */
public final class CpuAffinity {
    private static final Path TASKS = Path.of("/proc/self/task");

    /** Bytes of a mask with a bit for every CPU a kernel can have; the kernel wants no less than it has itself. */
    private static final int MASK_BYTES = (CpuSet.MOST + 1) / Byte.SIZE;

    /** Index of "processor" after the name's closing parenthesis in {@code stat}: field 39 of proc(5), the name is field 2. */
    private static final int STAT_PROCESSOR = 39 - 3;

    private static final MethodHandle GETTID = Libc.function("gettid", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    private static final MethodHandle GET = Libc.withErrno(
            "sched_getaffinity",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    private static final MethodHandle SET = Libc.withErrno(
            "sched_setaffinity",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));

    private CpuAffinity() {}

    /** The kernel's id of the calling thread. */
    public static int currentTid() {
        try {
            return (int) GETTID.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** The CPUs this process was started with: those of its first thread, which Java code never runs on. */
    public static CpuSet process() throws LinuxException {
        return get((int) ProcessHandle.current().pid());
    }

    /** Whether this process has a thread of that id now. */
    static boolean isThread(int tid) {
        return Files.exists(TASKS.resolve(Integer.toString(tid)));
    }

    /** The CPUs a thread may run on. @param tid a thread of any process, or 0 for the calling one */
    public static CpuSet get(int tid) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
            call(GET, "sched_getaffinity", arena, tid, mask);
            return new CpuSet(BitSet.valueOf(mask.toArray(ValueLayout.JAVA_LONG)));
        }
    }

    /**
     * Binds a thread. The kernel leaves out CPUs that are offline or outside the process's cpuset; what holds is what
     * {@link #get} says afterwards.
     *
     * @param tid a thread of this process, or 0 for the calling one
     * @throws LinuxException when the thread is gone (ESRCH), or none of the CPUs can be used (EINVAL)
     */
    public static void set(int tid, CpuSet cpus) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
            long[] words = cpus.words();
            MemorySegment.copy(words, 0, mask, ValueLayout.JAVA_LONG, 0, words.length);
            call(SET, "sched_setaffinity to CPUs " + cpus, arena, tid, mask);
        }
    }

    private static void call(MethodHandle function, String what, Arena arena, int tid, MemorySegment mask)
            throws LinuxException {
        MemorySegment callState = arena.allocate(Libc.CALL_STATE);
        int rc;
        try {
            rc = (int) function.invokeExact(callState, tid, (long) MASK_BYTES, mask);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (rc < 0) {
            throw new LinuxException(what + " of thread " + tid, Libc.errno(callState));
        }
    }

    /** Every thread of this process with the mask the kernel holds, by id; threads that end meanwhile are left out. */
    public static List<OsThread> threads() throws IOException {
        List<OsThread> threads = new ArrayList<>();
        try (Stream<Path> tasks = Files.list(TASKS)) {
            for (Path task : (Iterable<Path>) tasks::iterator) {
                try {
                    int tid = Integer.parseInt(task.getFileName().toString());
                    String name = Files.readString(task.resolve("comm")).strip();
                    String stat = Files.readString(task.resolve("stat"));
                    String[] afterName =
                            stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
                    threads.add(new OsThread(tid, name, get(tid), Integer.parseInt(afterName[STAT_PROCESSOR])));
                } catch (IOException e) {
                    // it ended
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        threads.sort(Comparator.comparingInt(OsThread::tid));
        return threads;
    }
}
