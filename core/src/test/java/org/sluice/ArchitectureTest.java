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
import java.util.Set;
import java.util.TreeSet;
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

    @Test
    @DisplayName("the SPI stands alone; the data plane knows neither control plane nor backend")
    void packages() throws Exception {
        assertThat(uses(
                        "org.sluice.spi.",
                        "org.sluice.control.",
                        "org.sluice.data.",
                        "org.sluice.host.",
                        "org.sluice.stats.",
                        "org.slf4j."))
                .isEmpty();
        assertThat(uses("org.sluice.data.", "org.sluice.control.", "org.sluice.host."))
                .isEmpty();
        assertThat(uses("org.sluice.stats.", "org.sluice.control.", "org.sluice.data.", "org.sluice.host."))
                .isEmpty();
        assertThat(uses("org.sluice.host.", "org.sluice.control.", "org.sluice.stats."))
                .isEmpty();
    }

    @Test
    @DisplayName("only the host backend calls what can crash the JVM")
    void restrictedCalls() throws Exception {
        Set<String> callers = new TreeSet<>();
        scan((user, used) -> {}, (user, used) -> {
            if (RESTRICTED.contains(used)) {
                callers.add(user);
            }
        });
        assertThat(callers).isNotEmpty().allMatch(c -> c.startsWith("org.sluice.host."));
    }
}
