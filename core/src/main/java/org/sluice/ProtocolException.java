package org.sluice;

/** The peer said something that the protocol does not allow, or speaks another version of it. */
public final class ProtocolException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public ProtocolException(String message) {
        super(message);
    }

    public ProtocolException(String message, Throwable cause) {
        super(message, cause);
    }
}
