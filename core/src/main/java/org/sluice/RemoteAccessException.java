package org.sluice;

/** A one-sided transfer named an unknown region key or went over the region's bounds; the owner refused it. */
public final class RemoteAccessException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public RemoteAccessException(String message) {
        super(message);
    }

    public RemoteAccessException(String message, Throwable cause) {
        super(message, cause);
    }
}
