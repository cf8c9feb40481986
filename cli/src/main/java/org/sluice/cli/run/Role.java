package org.sluice.cli.run;

/** Which side of the job a process is. */
public enum Role {
    CLIENT(0),
    SERVER(1);

    private final int number;

    Role(int number) {
        this.number = number;
    }

    /** As {@link ContentSeed} tells senders apart. */
    int number() {
        return number;
    }
}
