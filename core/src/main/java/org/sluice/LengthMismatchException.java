package org.sluice;

/** The n-th send and the n-th receive of a link differ in length; both fail, both name both lengths. */
public final class LengthMismatchException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public LengthMismatchException(String message) {
        super(message);
    }

    public LengthMismatchException(String message, Throwable cause) {
        super(message, cause);
    }
}
