package org.sluice;

/** A link could not be made, or lost all its channels: a phase passed its deadline, a rail cannot be reached, the peer refused. */
public final class LinkException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public LinkException(String message) {
        super(message);
    }

    public LinkException(String message, Throwable cause) {
        super(message, cause);
    }
}
