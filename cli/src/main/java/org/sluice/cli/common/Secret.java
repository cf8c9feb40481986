package org.sluice.cli.common;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;

/** Where the shared secret comes from: never a flag, since flags show in the process list. */
public final class Secret {
    /** Holds the secret itself. */
    public static final String VARIABLE = "SLUICE_SECRET";

    private Secret() {}

    /**
     * @param file holds it where one is given; else the environment may
     * @return empty where there is none
     * @throws ConfigException when the file cannot be read
     */
    public static byte[] read(@Nullable Path file) {
        String text = System.getenv(VARIABLE);
        if (file != null) {
            try {
                text = Files.readString(file);
            } catch (NoSuchFileException e) {
                throw new ConfigException("the secret file " + file + " is not there", e);
            } catch (IOException e) {
                throw new ConfigException("the secret file " + file + " cannot be read: " + e, e);
            }
        }
        // editors and echo end a file with a line break that nobody means
        return text == null ? new byte[0] : text.strip().getBytes(StandardCharsets.UTF_8);
    }
}
