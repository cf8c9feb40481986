package org.sluice;

/** The node or the link was closed, here or by the peer's goodbye, before the transfer could finish. */
public final class ClosedException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public ClosedException(String message) {
        super(message);
    }

    public ClosedException(String message, Throwable cause) {
        super(message, cause);
    }
}
