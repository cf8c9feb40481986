package org.sluice.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sysfs tree, or a made-up one under another root. Attributes that are missing, unreadable (many drivers answer EINVAL while
 * a device is down) or nonsense read as absent: sysfs is a courtesy of each driver, not a contract.
 *
 * @param root where {@code /sys} is
 */
public record Sysfs(Path root) {
    /** The running kernel's. */
    public static final Sysfs SYSTEM = new Sysfs(Path.of("/sys"));

    /** The running kernel's procfs, whose files read alike. */
    public static final Sysfs PROCFS = new Sysfs(Path.of("/proc"));

    /** The text of an attribute without white space at its ends; null where it cannot be read or is empty. */
    @Nullable String text(String path) {
        try {
            String s = Files.readString(root.resolve(path)).strip();
            return s.isEmpty() ? null : s;
        } catch (IOException | UncheckedIOException e) {
            return null;
        }
    }

    /** An attribute that is a decimal number. */
    long number(String path, long absent) {
        String s = text(path);
        try {
            return s == null ? absent : Long.parseLong(s);
        } catch (NumberFormatException e) {
            return absent;
        }
    }

    /** Where a path leads with all links followed, as an absolute path that starts with {@code /sys}; null if nowhere. */
    @Nullable String canonical(String path) {
        try {
            Path real = root.resolve(path).toRealPath();
            Path base = root.toRealPath();
            return real.startsWith(base) ? "/sys/" + base.relativize(real) : real.toString();
        } catch (IOException e) {
            return null;
        }
    }

    /** The names in a folder, sorted; none where there is no such folder. */
    List<String> names(String path) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve(path))) {
            entries.forEach(e -> names.add(e.getFileName().toString()));
        } catch (IOException e) {
            return List.of();
        }
        Collections.sort(names);
        return names;
    }
}
