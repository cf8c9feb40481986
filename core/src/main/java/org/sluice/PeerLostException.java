package org.sluice;

/** The peer died, froze or was cut off; every transfer of the link fails. */
public final class PeerLostException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public PeerLostException(String message) {
        super(message);
    }

    public PeerLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
