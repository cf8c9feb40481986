package org.sluice.daemon;

/** A client broke the protocol; its connection ends. */
final class Violation extends Exception {
    private static final long serialVersionUID = 1L;

    Violation(String message) {
        super(message);
    }
}
