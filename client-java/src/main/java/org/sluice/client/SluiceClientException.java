package org.sluice.client;

/** Why something failed, in words; the status is the number of {@code docs/daemon.md}. */
public final class SluiceClientException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The daemon is gone; {@link SluiceClient#reopen} finds the next one. */
    public static final int LOST = 100;
    /** Still under way, or not there, when the time was up. */
    public static final int DEADLINE = 7;

    static final int INVALID = 1;
    static final int IN_USE = 9;
    static final int NOT_SUPPORTED = 12;

    private final int status;

    SluiceClientException(int status, String message) {
        super(message);
        this.status = status;
    }

    SluiceClientException(int status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    /** The number. */
    public int status() {
        return status;
    }

    /** Whether the daemon is gone. */
    public boolean isLost() {
        return status == LOST;
    }
}
