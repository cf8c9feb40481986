package org.sluice.engine;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;

/** The regions that the peer shares on a link, by the names that it gives them. Any thread may use it. */
final class SharedNames {
    private static final int MOST_NAME = 1000;

    private final Map<String, CompletableFuture<RemoteRegion>> byName = new ConcurrentHashMap<>();

    /** @throws IllegalArgumentException for what is no name of a region */
    static void check(String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > MOST_NAME) {
            throw new IllegalArgumentException(
                    "a region's name has 1 to " + MOST_NAME + " bytes in UTF-8, this one has " + bytes);
        }
        if (name.codePoints().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("a region's name has no control characters: " + name);
        }
    }

    /** What the name stands for, once it has come. */
    CompletableFuture<RemoteRegion> of(String name) {
        return byName.computeIfAbsent(name, n -> new CompletableFuture<>());
    }

    void add(String name, RemoteRegion region) {
        if (!of(name).complete(region)) {
            byName.put(name, CompletableFuture.completedFuture(region)); // the name stands for another now
        }
    }

    void remove(String name) {
        byName.remove(name);
    }

    /** No more will come. */
    void end(SluiceException why) {
        byName.values().forEach(f -> f.completeExceptionally(why));
    }
}
