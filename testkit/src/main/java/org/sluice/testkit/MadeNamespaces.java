package org.sluice.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Namespaces that are deleted when this is closed, and with the process where nobody closes it. Not thread-safe. */
final class MadeNamespaces implements AutoCloseable {
    private final List<String> names;
    private final Thread atExit;

    /** From now on; the namespaces are made after it. @param names as {@code ip netns} knows them */
    MadeNamespaces(List<String> names) {
        this.names = List.copyOf(names);
        this.atExit = new Thread(this::delete, "namespaces-at-exit");
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    private void delete() {
        for (String name : names) {
            if (Files.exists(Path.of("/run/netns", name))) {
                Namespaces.deleteNamespace(name);
            }
        }
    }

    /** Ends what still runs in them and deletes them. Idempotent. */
    @Override
    public void close() {
        delete();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // the process is ending: the hook does the same once more, for nothing
        }
    }
}
