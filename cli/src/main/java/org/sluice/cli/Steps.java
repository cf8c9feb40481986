package org.sluice.cli;

import java.util.function.Consumer;

/** Where the steps of making links are printed, line by line. */
enum Steps {
    STDERR,
    STDOUT,
    NONE;

    Consumer<String> printer() {
        return switch (this) {
            case STDERR -> System.err::println;
            case STDOUT -> System.out::println;
            case NONE -> line -> {};
        };
    }
}
