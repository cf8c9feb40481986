package org.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The rooms of core, read off its compiled classes: who may use whom, and who may touch memory by address. */
final class ArchitectureTest {
    /** Calls that the JVM restricts: they can crash it. */
    private static final Set<String> RESTRICTED = Set.of(
            "java.lang.foreign.MemorySegment.reinterpret",
            "java.lang.foreign.Linker.downcallHandle",
            "java.lang.foreign.Linker.upcallStub",
            "java.lang.foreign.SymbolLookup.libraryLookup",
            "java.lang.foreign.AddressLayout.withTargetLayout",
            "java.lang.System.load",
            "java.lang.System.loadLibrary");

    /** They write addresses and small messages into memory that the backend gave. */
    private static final Set<String> PIECES = Set.of("org.sluice.transfer.PieceMap", "org.sluice.transfer.SmallBytes");

    private interface Found {
        void in(String user, String used);
    }

    /** Tells of every class and method that a class of core names. */
    private static void scan(Found classes, Found methods) throws IOException, URISyntaxException {
        URI place =
                Node.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        try (Stream<Path> files = Files.walk(Path.of(place))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")
                            && !f.endsWith("module-info.class")
                            && !f.endsWith("package-info.class"))
                    .toList()) {
                ClassModel model = ClassFile.of().parse(file);
                String user = dotted(model.thisClass().asInternalName());
                for (PoolEntry entry : model.constantPool()) {
                    switch (entry) {
                        case ClassEntry c -> classes.in(user, dotted(c.asInternalName()));
                        case MemberRefEntry m ->
                            methods.in(
                                    user,
                                    dotted(m.owner().asInternalName()) + "."
                                            + m.name().stringValue());
                        default -> {}
                    }
                }
            }
        }
    }

    private static String dotted(String internalName) {
        return internalName.replace('/', '.').replaceAll("^\\[+L?|;$", "");
    }

    private static Set<String> uses(String from, String... forbidden) throws IOException, URISyntaxException {
        Set<String> found = new TreeSet<>();
        scan(
                (user, used) -> {
                    if (user.startsWith(from)) {
                        for (String f : forbidden) {
                            if (used.startsWith(f)) {
                                found.add(user + " uses " + used);
                            }
                        }
                    }
                },
                (user, used) -> {});
        return found;
    }

    @Test
    @DisplayName("core knows no transport, no CUDA, no plugin and no command line")
    void coreKnowsNobody() throws Exception {
        assertThat(uses(
                        "org.sluice.",
                        "org.sluice.tcp.",
                        "org.sluice.cuda.",
                        "org.sluice.ncclnet.",
                        "org.sluice.linux.",
                        "org.sluice.cli.",
                        "org.sluice.testkit."))
                .isEmpty();
    }

    /** Which package may use which, as docs/architecture.md draws it. Everything else is refused, so there is no cycle. */
    private static final Map<String, Set<String>> ROOMS = Map.of(
            "org.sluice", Set.of(),
            "org.sluice.spi", Set.of("org.sluice"),
            "org.sluice.stats", Set.of("org.sluice"),
            "org.sluice.host", Set.of("org.sluice", "org.sluice.spi", "org.sluice.transfer"),
            "org.sluice.wire", Set.of("org.sluice", "org.sluice.spi"),
            "org.sluice.transfer", Set.of("org.sluice", "org.sluice.spi", "org.sluice.stats"),
            "org.sluice.peer",
                    Set.of(
                            "org.sluice",
                            "org.sluice.spi",
                            "org.sluice.stats",
                            "org.sluice.wire",
                            "org.sluice.transfer"),
            "org.sluice.rendezvous", Set.of("org.sluice", "org.sluice.spi", "org.sluice.wire", "org.sluice.peer"),
            "org.sluice.engine",
                    Set.of(
                            "org.sluice",
                            "org.sluice.spi",
                            "org.sluice.stats",
                            "org.sluice.wire",
                            "org.sluice.transfer",
                            "org.sluice.peer"));

    @Test
    @DisplayName("every package of core uses the packages that its room may use, and no other")
    void packages() throws Exception {
        Set<String> found = new TreeSet<>();
        Set<String> seen = new TreeSet<>();
        scan(
                (user, used) -> {
                    String from = room(user);
                    String to = room(used);
                    seen.add(from);
                    if (used.startsWith("org.sluice.")
                            && !from.equals(to)
                            && !ROOMS.getOrDefault(from, Set.of()).contains(to)) {
                        found.add(user + " uses " + used);
                    }
                },
                (user, used) -> {});
        assertThat(found).isEmpty();
        assertThat(seen).isEqualTo(new TreeSet<>(ROOMS.keySet()));
    }

    @Test
    @DisplayName("the drawing in docs/architecture.md is the one that is tested")
    void drawing() throws Exception {
        Path page = Path.of("..", "docs", "architecture.md").toAbsolutePath().normalize();
        Map<String, Set<String>> drawn = new TreeMap<>();
        for (String line : Files.readAllLines(page)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                Set<String> may = new TreeSet<>();
                Matcher name = NAME.matcher(row.group(2));
                while (name.find()) {
                    may.add(name.group(1));
                }
                drawn.put(row.group(1), may);
            }
        }
        Map<String, Set<String>> tested = new TreeMap<>();
        ROOMS.forEach((room, may) -> tested.put(room, new TreeSet<>(may)));
        assertThat(drawn).isEqualTo(tested);
    }

    /** {@code | `org.sluice.wire` | what lives there | `org.sluice`, `org.sluice.spi` |}. */
    private static final Pattern ROW = Pattern.compile("\\| `(org\\.sluice[a-z.]*)` \\|.*\\|([^|]*)\\|");

    private static final Pattern NAME = Pattern.compile("`(org\\.sluice[a-z.]*)`");

    private static String room(String type) {
        return type.substring(0, Math.max(0, type.lastIndexOf('.')));
    }

    @Test
    @DisplayName(
            "only the host backend, and the lists of pieces that it hands out memory for, call what can crash the JVM")
    void restrictedCalls() throws Exception {
        Set<String> callers = new TreeSet<>();
        scan((user, used) -> {}, (user, used) -> {
            if (RESTRICTED.contains(used)) {
                callers.add(user);
            }
        });
        assertThat(callers).isNotEmpty().allMatch(c -> c.startsWith("org.sluice.host.") || PIECES.contains(c));
    }

    /** Tables of native calls. */
    private static final Set<String> LONG = Set.of("CudaDriver.java");

    /** Where the main files lie: Java's of every module, and those of the clients in other languages. */
    private static Map<Path, List<String>> mainFiles() throws IOException {
        Map<Path, List<String>> endings = new TreeMap<>();
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            modules.map(m -> m.resolve("src/main/java"))
                    .filter(Files::isDirectory)
                    .forEach(main -> endings.put(main, List.of(".java")));
        }
        endings.put(Path.of("..", "client-c", "src"), List.of(".c", ".h"));
        endings.put(Path.of("..", "client-python", "sluice"), List.of(".py"));
        return endings;
    }

    @Test
    @DisplayName("a file has one job: none has more than 400 lines, but for tables of native calls")
    void fileLength() throws IOException {
        Set<String> tooLong = new TreeSet<>();
        Map<String, Integer> looked = new TreeMap<>();
        for (Map.Entry<Path, List<String>> main : mainFiles().entrySet()) {
            try (Stream<Path> files = Files.walk(main.getKey())) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    String name = file.getFileName().toString();
                    String ending = name.substring(Math.max(0, name.lastIndexOf('.')));
                    if (!main.getValue().contains(ending)) {
                        continue;
                    }
                    looked.merge(ending, 1, Integer::sum);
                    try (Stream<String> lines = Files.lines(file)) {
                        if (lines.count() > 400 && !LONG.contains(name)) {
                            tooLong.add(file.toString());
                        }
                    }
                }
            }
        }
        assertThat(looked).containsOnlyKeys(".java", ".c", ".h", ".py");
        assertThat(looked.get(".java")).isGreaterThan(300);
        assertThat(tooLong).isEmpty();
    }
}
