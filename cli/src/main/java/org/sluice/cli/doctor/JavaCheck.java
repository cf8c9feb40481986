package org.sluice.cli.doctor;

import java.util.List;

/** The Java runtime. */
final class JavaCheck implements Check {
    private static final Runtime.Version LEAST = Runtime.Version.parse("25.0.3");

    @Override
    public String name() {
        return "java";
    }

    @Override
    public List<Finding> look(Patient patient) {
        return List.of(judge(Runtime.version()));
    }

    Finding judge(Runtime.Version version) {
        String found = "Java " + version + " from " + System.getProperty("java.vendor");
        if (version.feature() == LEAST.feature() && version.compareToIgnoreOptional(LEAST) < 0) {
            return Finding.warning(
                    name(), "runtime", found + ": its G1 may move pinned memory (JDK-8377811)", "use 25.0.3 or newer");
        }
        return Finding.ok(name(), "runtime", found);
    }
}
