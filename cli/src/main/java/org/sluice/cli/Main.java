package org.sluice.cli;

/** {@code sluice}: the commands. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(2);
    }
}
