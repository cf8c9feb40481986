package org.sluice.spi;

import org.jspecify.annotations.Nullable;

/**
 * A variable of the environment that native code of a transport reads.
 *
 * @param name as native code asks for it
 * @param value what the transport sets where the user has set nothing
 * @param why in a few words
 * @param users what the user has set, which stays; null where nothing
 */
public record EnvironmentVariable(
        String name, String value, String why, @Nullable String users) {}
