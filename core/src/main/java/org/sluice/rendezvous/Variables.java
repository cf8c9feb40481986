package org.sluice.rendezvous;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.sluice.ConfigException;

/** Environment variables; one that is blank counts as not set. */
record Variables(Map<String, String> environment) {
    Variables {
        environment = Map.copyOf(environment);
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(environment.get(name)).map(String::strip).filter(v -> !v.isEmpty());
    }

    /** The first of several that is set. */
    Optional<String> firstOf(String... names) {
        Optional<String> found = Optional.empty();
        for (int i = 0; found.isEmpty() && i < names.length; i++) {
            found = text(names[i]);
        }
        return found;
    }

    OptionalInt number(String name) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return OptionalInt.empty();
        }
        try {
            return OptionalInt.of(Integer.parseInt(text.get()));
        } catch (NumberFormatException e) {
            throw new ConfigException(
                    "the variable " + name + " is '" + text.get() + "', it must be a whole number", e);
        }
    }
}
