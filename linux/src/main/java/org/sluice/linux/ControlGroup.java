package org.sluice.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A control group that bounds this process.
 *
 * @param folder of its files
 * @param version 1 or 2, which name them differently
 */
record ControlGroup(Path folder, int version) {
    /** Limits beyond this are how version 1 writes that there is none. */
    private static final long NO_LIMIT = 1L << 62;

    /** Those of the memory controller, from the process's own to the root that can be seen from here. */
    static List<ControlGroup> ofMemory(Path self) {
        return of(self, "memory");
    }

    /** @param self {@code /proc/self}; @param controller as version 1 names its hierarchies */
    static List<ControlGroup> of(Path self, String controller) {
        List<ControlGroup> all = new ArrayList<>();
        for (String line : MemoryRoom.lines(self.resolve("cgroup"))) {
            String[] parts = line.split(":", 3); // number, controllers, path
            if (parts.length < 3) {
                continue;
            }
            boolean second = parts[1].isEmpty();
            if (second || List.of(parts[1].split(",", -1)).contains(controller)) {
                mount(self, second ? "" : controller)
                        .ifPresent(m -> all.addAll(m.upFrom(Path.of(parts[2]), second ? 2 : 1)));
            }
        }
        return all;
    }

    /** Where a hierarchy can be seen. @param root the group that is at the mount point */
    private record Hierarchy(Path root, Path point) {
        List<ControlGroup> upFrom(Path group, int version) {
            // a container sees its own group at the mount point, whatever the group is called outside
            Path below = group.startsWith(root) ? root.relativize(group) : Path.of("");
            Path at = point.resolve(below.toString());
            List<ControlGroup> all = new ArrayList<>();
            for (Path p = Files.isDirectory(at) ? at : point; p != null && p.startsWith(point); p = p.getParent()) {
                all.add(new ControlGroup(p, version));
            }
            return all;
        }
    }

    /** @param controller empty for version 2 */
    private static Optional<Hierarchy> mount(Path self, String controller) {
        for (String line : MemoryRoom.lines(self.resolve("mountinfo"))) {
            String[] halves = line.split(" - ", 2); // ... root point options - type source options
            String[] before = halves[0].split(" ", -1);
            String[] after = halves.length < 2 ? new String[0] : halves[1].split(" ", -1);
            if (before.length < 5 || after.length < 3) {
                continue;
            }
            boolean right = controller.isEmpty()
                    ? after[0].equals("cgroup2")
                    : after[0].equals("cgroup")
                            && Stream.of(after[2].split(",", -1)).anyMatch(controller::equals);
            if (right) {
                return Optional.of(new Hierarchy(Path.of(before[3]), Path.of(before[4])));
            }
        }
        return Optional.empty();
    }

    /** Its limit less what it holds and could not give back; empty where it has none. */
    Optional<MemoryRoom> memoryRoom() {
        Optional<Long> limit = version == 2
                ? MemoryRoom.value(folder.resolve("memory.max"))
                : MemoryRoom.value(folder.resolve("memory.limit_in_bytes"));
        long used = MemoryRoom.value(folder.resolve(version == 2 ? "memory.current" : "memory.usage_in_bytes"))
                .orElse(0L);
        // files that were read and are not used: the kernel drops them first
        long idle = MemoryRoom.value(
                        folder.resolve("memory.stat"), version == 2 ? "inactive_file" : "total_inactive_file")
                .orElse(0L);
        return limit.filter(l -> l < NO_LIMIT)
                .map(l -> new MemoryRoom(
                        Math.max(0, l - Math.max(0, used - idle)),
                        "the control group " + folder + " leaves of its " + (l >> 20) + " MiB"));
    }

    /** The most processes and threads that may be in it; empty where it has no limit. */
    Optional<Long> mostThreads() {
        return MemoryRoom.value(folder.resolve("pids.max"));
    }

    /** How many are in it. */
    Optional<Long> threads() {
        return MemoryRoom.value(folder.resolve("pids.current"));
    }

    /** CPU seconds a second that it may use; empty where it has no quota. */
    Optional<Double> cpus() {
        if (version == 2) { // "quota period", the first may be "max"
            List<String> lines = MemoryRoom.lines(folder.resolve("cpu.max"));
            String[] words =
                    lines.isEmpty() ? new String[0] : lines.getFirst().strip().split(" ", -1);
            return words.length == 2 ? share(words[0], words[1]) : Optional.empty();
        }
        Optional<Long> quota = MemoryRoom.value(folder.resolve("cpu.cfs_quota_us"));
        Optional<Long> period = MemoryRoom.value(folder.resolve("cpu.cfs_period_us"));
        return quota.isPresent() && period.isPresent()
                ? share(quota.get().toString(), period.get().toString())
                : Optional.empty();
    }

    private static Optional<Double> share(String quota, String period) {
        try {
            double micros = Double.parseDouble(quota);
            double of = Double.parseDouble(period);
            return micros > 0 && of > 0 ? Optional.of(micros / of) : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
