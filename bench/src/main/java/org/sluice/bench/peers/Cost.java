package org.sluice.bench.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What this process holds now.
 *
 * @param threads threads that Sluice made, by the first part of their names
 * @param residentBytes resident memory, after a collection
 * @param socketBytes memory of all TCP sockets of this machine, both ends
 * @param connections TCP connections of this process that are established
 */
record Cost(Map<String, Integer> threads, long residentBytes, long socketBytes, int descriptors, int connections) {
    /** Threads of the JVM and of this bench; everything else is Sluice's. */
    private static final Pattern NOT_OURS = Pattern.compile(
            "main|Reference Handler|Finalizer|Signal Dispatcher|Common-Cleaner|Notification Thread|Attach Listener"
                    + "|ForkJoinPool.*|VirtualThread-unblocker|Read-Poller.*|Write-Poller.*|process reaper.*|hub-.*|DestroyJavaVM"
                    + "|.*-Poller.*|JNA.*");

    static Cost now() {
        System.gc();
        Map<String, Integer> threads = new TreeMap<>();
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            if (!NOT_OURS.matcher(t.getName()).matches()) {
                threads.merge(t.getName().replaceAll("[0-9.]+", "N"), 1, Integer::sum);
            }
        }
        try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
            int descriptors = (int) fds.count();
            return new Cost(threads, resident(), socketMemory(), descriptors, established());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** CPU time of this process's threads, by name. */
    static Map<String, Long> threadNanos() {
        Map<String, Long> all = new TreeMap<>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                String name = Files.readString(task.resolve("comm")).trim().replaceAll("[0-9.]+", "N");
                String nanos = Files.readString(task.resolve("schedstat"));
                all.merge(name, Long.parseLong(nanos.substring(0, nanos.indexOf(' '))), Long::sum);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    /** What they have used since then, milliseconds; those that used none left out. */
    static Map<String, Long> since(Map<String, Long> before) {
        Map<String, Long> used = new TreeMap<>();
        threadNanos().forEach((name, nanos) -> {
            long millis = (nanos - before.getOrDefault(name, 0L)) / 1_000_000;
            if (millis > 0) {
                used.put(name, millis);
            }
        });
        return used;
    }

    int threadCount() {
        return threads.values().stream().mapToInt(i -> i).sum();
    }

    private static long resident() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
            }
        }
        return 0;
    }

    /** {@code TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 1}: pages. */
    private static long socketMemory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/net/sockstat"))) {
            if (line.startsWith("TCP:")) {
                return Long.parseLong(line.substring(line.indexOf("mem ") + 4).trim()) * 4096;
            }
        }
        return 0;
    }

    private static int established() throws IOException {
        int count = 0;
        try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
            Set<String> own = fds.map(Cost::target)
                    .filter(t -> t.startsWith("socket:["))
                    .map(t -> t.substring(8, t.length() - 1))
                    .collect(Collectors.toSet());
            for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
                for (String line : Files.readAllLines(Path.of(table))) {
                    String[] f = line.trim().split(" +", -1);
                    if (f.length > 9 && f[3].equals("01") && own.contains(f[9])) {
                        count++;
                    }
                }
            }
        }
        return count;
    }

    private static String target(Path fd) {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (IOException e) {
            return "";
        }
    }
}
