package org.sluice.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Kernel parameters of this network namespace, read from {@code /proc/sys}. */
public final class Sysctl {
    private static final Path ROOT = Path.of("/proc/sys");

    private static final int MOST_BYTES = 4096;

    private Sysctl() {}

    /** @param path with slashes, since device names may have dots: {@code net/ipv4/conf/eth1/rp_filter}; null if there is none */
    public static @Nullable String text(String path) {
        // one read: the kernel writes a parameter out anew for the first, and gives nothing for a second
        try (FileInputStream in = new FileInputStream(ROOT.resolve(path).toFile())) {
            byte[] content = new byte[MOST_BYTES];
            int length = in.read(content);
            return length <= 0 ? "" : new String(content, 0, length, StandardCharsets.US_ASCII).strip();
        } catch (IOException e) {
            return null;
        }
    }

    /** The numbers of a parameter, {@code net/ipv4/tcp_rmem} has three; none where it is missing or has other words. */
    public static long[] numbers(String path) {
        String text = text(path);
        try {
            return text == null
                    ? new long[0]
                    : Arrays.stream(text.split("\\s+", -1))
                            .mapToLong(Long::parseLong)
                            .toArray();
        } catch (NumberFormatException e) {
            return new long[0];
        }
    }

    public static long number(String path, long absent) {
        long[] numbers = numbers(path);
        return numbers.length == 0 ? absent : numbers[0];
    }
}
