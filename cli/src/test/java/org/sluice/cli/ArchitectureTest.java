package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The rooms of the command line, read off its compiled classes: who may use whom, without cycles. */
final class ArchitectureTest {
    private static final String ROOT = "org.sluice.cli";

    /** What each room may import besides {@code common}; Main's imports all. A new room is a new line here. */
    private static final Map<String, Set<String>> MAY_IMPORT = Map.ofEntries(
            Map.entry("common", Set.of()),
            Map.entry("watch", Set.of()),
            Map.entry("run", Set.of("watch")),
            Map.entry("options", Set.of("run", "watch")),
            Map.entry("job", Set.of("options", "run", "watch")),
            Map.entry("bench", Set.of("run")),
            Map.entry("soak", Set.of()),
            Map.entry("matrix", Set.of("options", "watch")),
            Map.entry("affinity", Set.of("options")),
            Map.entry("topology", Set.of()),
            Map.entry("daemon", Set.of("options", "watch")),
            Map.entry("plan", Set.of()),
            Map.entry("doctor", Set.of("plan")));

    private static final Pattern OWN_CLASS = Pattern.compile("org/sluice/cli/(?:(\\w+)/)?[A-Z]\\w*");

    /** By room, the rooms whose classes it names; the room of Main is the empty name. */
    private static Map<String, Set<String>> uses() throws IOException, URISyntaxException {
        Path place = Path.of(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Map<String, Set<String>> uses = new TreeMap<>();
        try (Stream<Path> files = Files.walk(place)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")
                            && !f.endsWith("module-info.class")
                            && !f.endsWith("package-info.class"))
                    .toList()) {
                ClassModel model = ClassFile.of().parse(file);
                Set<String> used = uses.computeIfAbsent(
                        room(model.thisClass().asInternalName()).orElseThrow(), r -> new TreeSet<>());
                for (PoolEntry entry : model.constantPool()) {
                    switch (entry) {
                        case ClassEntry c -> room(c.asInternalName()).ifPresent(used::add);
                        // types of fields, parameters and results
                        case Utf8Entry u
                        when u.stringValue().contains("L" + ROOT.replace('.', '/')) ->
                            Pattern.compile("[;()<]")
                                    .splitAsStream(u.stringValue())
                                    .forEach(t -> room(t).ifPresent(used::add));
                        default -> {}
                    }
                }
            }
        }
        uses.forEach((room, used) -> used.remove(room));
        return uses;
    }

    private static Optional<String> room(String type) {
        Matcher m = OWN_CLASS.matcher(type);
        return m.find() ? Optional.of(m.group(1) == null ? "" : m.group(1)) : Optional.empty();
    }

    @Test
    @DisplayName("each room imports what it may, and nobody imports Main's")
    void rooms() throws Exception {
        List<String> wrong = new ArrayList<>();
        uses().forEach((room, used) -> {
            if (room.isEmpty()) {
                return;
            }
            Collection<String> allowed = new TreeSet<>(MAY_IMPORT.getOrDefault(room, Set.of()));
            allowed.add("common");
            used.stream()
                    .filter(u -> !allowed.contains(u) || room.equals("common"))
                    .forEach(u -> wrong.add(room + " uses " + (u.isEmpty() ? "Main's room" : u)));
        });
        assertThat(wrong).isEmpty();
        assertThat(MAY_IMPORT.keySet())
                .containsAll(uses().keySet().stream().filter(r -> !r.isEmpty()).toList());
    }

    @Test
    @DisplayName("the rooms can be put in an order in which each imports only earlier ones")
    void noCycles() {
        Set<String> built = new TreeSet<>();
        while (built.size() < MAY_IMPORT.size()) {
            List<String> next = MAY_IMPORT.entrySet().stream()
                    .filter(e -> !built.contains(e.getKey()) && built.containsAll(e.getValue()))
                    .map(Map.Entry::getKey)
                    .toList();
            assertThat(next).as("rooms after " + built).isNotEmpty();
            built.addAll(next);
        }
    }

    @Test
    @DisplayName("no file is longer than 400 lines, and no room has more than 30")
    void sizes() throws IOException {
        Path sources = Path.of("src", "main", "java");
        try (Stream<Path> files = Files.walk(sources)) {
            Map<Path, Integer> perRoom = new TreeMap<>();
            for (Path f : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                perRoom.merge(f.getParent(), 1, Integer::sum);
                try (Stream<String> lines = Files.lines(f)) {
                    assertThat(lines.count()).as(f.toString()).isLessThanOrEqualTo(400);
                }
            }
            assertThat(perRoom.values()).allMatch(n -> n <= 30);
        }
    }
}
