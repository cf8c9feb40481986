package org.sluice.cli.run;

import java.util.function.Consumer;
import org.sluice.cli.common.Values;
import picocli.CommandLine.ITypeConverter;

/** Where the steps of making links are printed, line by line. */
public enum Steps {
    STDERR,
    STDOUT,
    NONE;

    /** Reads one. */
    public static final class Target implements ITypeConverter<Steps> {
        @Override
        public Steps convert(String text) {
            return Values.oneOf(Steps.class, text);
        }
    }

    Consumer<String> printer() {
        return switch (this) {
            case STDERR -> System.err::println;
            case STDOUT -> System.out::println;
            case NONE -> line -> {};
        };
    }
}
