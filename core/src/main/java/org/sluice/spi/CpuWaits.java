package org.sluice.spi;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * How long threads of this process, whoever made them, have waited for a CPU since a moment: the kernel's own count. A plugin's helper
 * threads that get none move no byte, and nothing is wrong with the rail. Asked for seldom; reads a file a thread.
 */
public interface CpuWaits {
    /** From now on. */
    void begin();

    /** @return nanoseconds that the thread which waited most has waited since {@link #begin}; 0 where the kernel does not tell */
    long longest();

    /** Those of this process. */
    static CpuWaits ofProcess() {
        return new Kernel();
    }

    /** {@code /proc/self/task/N/schedstat}: time on a CPU, time waited for one, slices. */
    final class Kernel implements CpuWaits {
        private static final Path THREADS = Path.of("/proc/self/task");

        private Map<String, Long> before = Map.of();

        private Kernel() {}

        @Override
        public void begin() {
            before = waited();
        }

        @Override
        public long longest() {
            long longest = 0;
            for (Map.Entry<String, Long> now : waited().entrySet()) {
                Long then = before.get(now.getKey());
                longest = then == null ? longest : Math.max(longest, now.getValue() - then);
            }
            return longest;
        }

        private static Map<String, Long> waited() {
            Map<String, Long> all = new HashMap<>();
            try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
                for (Path thread : threads) {
                    read(thread, all);
                }
            } catch (IOException e) {
                return Map.of(); // not Linux, or /proc is hidden: nothing is known
            }
            return all;
        }

        private static void read(Path thread, Map<String, Long> all) {
            try {
                String[] words =
                        Files.readString(thread.resolve("schedstat")).strip().split(" ", 3);
                if (words.length > 1) {
                    all.put(thread.getFileName().toString(), Long.parseLong(words[1]));
                }
            } catch (IOException | NumberFormatException e) {
                // the thread has ended
            }
        }
    }
}
