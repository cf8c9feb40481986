package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A mounted file system.
 *
 * @param point where it is mounted
 * @param type {@code ext4}, {@code tmpfs}
 * @param options {@code rw}, {@code noexec}, ...
 */
public record Mount(Path point, String type, Set<String> options) {
    private static final Path FILE = Path.of("/proc/self/mountinfo");

    /** The file system that a path lies on, which need not exist but for its folder; null where the kernel does not tell. */
    public static @Nullable Mount of(Path path) throws IOException {
        Path real =
                Files.exists(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
        return of(real, Files.readAllLines(FILE));
    }

    /** The last of the deepest mounts counts: it covers those before. */
    static @Nullable Mount of(Path path, List<String> mountinfo) {
        Mount deepest = null;
        for (String line : mountinfo) {
            // proc(5): id, parent, device, root, mount point, options, optional fields, "-", type, source, options
            String[] fields = line.split(" ", -1);
            int dash = List.of(fields).indexOf("-");
            if (fields.length < 6 || dash < 0 || dash + 1 >= fields.length) {
                continue;
            }
            Path point = Path.of(unescape(fields[4]));
            if (path.startsWith(point)
                    && (deepest == null
                            || point.getNameCount() >= deepest.point().getNameCount())) {
                deepest = new Mount(point, fields[dash + 1], Set.of(fields[5].split(",", -1)));
            }
        }
        return deepest;
    }

    /** White space and backslashes in paths are written as three octal digits. */
    private static String unescape(String field) {
        return field.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}
