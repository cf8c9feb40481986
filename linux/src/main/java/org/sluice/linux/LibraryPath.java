package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The folders in which the loader looks for libraries: LD_LIBRARY_PATH, those of ld.so.conf, the system's. */
public final class LibraryPath {
    private static final Path CONFIGURATION = Path.of("/etc/ld.so.conf.d");
    private static final List<String> SYSTEM = List.of("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib");

    private LibraryPath() {}

    /** @param beside the folder of the library that needs it, where most that are shipped together look by RUNPATH */
    public static boolean has(String library, @Nullable Path beside) {
        return folders(beside).stream().anyMatch(f -> Files.exists(f.resolve(library)));
    }

    private static List<Path> folders(@Nullable Path beside) {
        List<Path> all = new ArrayList<>();
        if (beside != null) {
            all.add(beside);
        }
        for (String f :
                Objects.requireNonNullElse(System.getenv("LD_LIBRARY_PATH"), "").split(":", -1)) {
            if (!f.isEmpty()) {
                all.add(Path.of(f));
            }
        }
        try (Stream<Path> files = Files.list(CONFIGURATION)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".conf")).toList()) {
                Files.readAllLines(file).stream()
                        .map(String::strip)
                        .filter(l -> l.startsWith("/"))
                        .forEach(l -> all.add(Path.of(l)));
            }
        } catch (IOException e) {
            // the system's folders are left
        }
        SYSTEM.forEach(f -> all.add(Path.of(f)));
        return all;
    }
}
