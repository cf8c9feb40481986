package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How much more memory this process may take before the kernel ends it: the smaller of what the machine has available and of the room
 * in each control group that the process is in, version 1 or 2, up to the root.
 *
 * @param bytes that may still be taken
 * @param limit what sets that bound, as a message names it
 */
public record MemoryRoom(long bytes, String limit) {
    /** Room that nobody bounds. */
    private static final MemoryRoom UNKNOWN = new MemoryRoom(Long.MAX_VALUE, "nothing that is known");

    /** What the kernel says now. What it does not say bounds nothing. */
    public static MemoryRoom now() {
        return of(Path.of("/proc"));
    }

    /** @param proc where the kernel tells of processes, {@code self} the one in question */
    static MemoryRoom of(Path proc) {
        List<MemoryRoom> all = new ArrayList<>();
        value(proc.resolve("meminfo"), "MemAvailable:")
                .ifPresent(kib -> all.add(new MemoryRoom(kib << 10, "the machine has available (MemAvailable)")));
        for (ControlGroup g : ControlGroup.ofMemory(proc.resolve("self"))) {
            g.memoryRoom().ifPresent(all::add);
        }
        return all.stream().reduce(UNKNOWN, (a, b) -> b.bytes < a.bytes ? b : a);
    }

    /** The number after a word that begins a line. */
    static Optional<Long> value(Path file, String name) {
        for (String line : lines(file)) {
            if (line.startsWith(name)) {
                return number(line.substring(name.length()).strip().split("\\s+", 2)[0]);
            }
        }
        return Optional.empty();
    }

    /** A file's only number; empty where there is no such file, or it says {@code max}. */
    static Optional<Long> value(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? Optional.empty() : number(lines.getFirst().strip());
    }

    private static Optional<Long> number(String text) {
        try {
            return Optional.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
