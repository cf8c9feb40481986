package org.sluice;

/**
 * Everything that goes wrong in Sluice. The message is one sentence or two: where (GPU, channel, NIC, peer), what, and what to
 * do about it.
 */
public abstract sealed class SluiceException extends RuntimeException
        permits ClosedException,
                ConfigException,
                LengthMismatchException,
                LinkException,
                PeerLostException,
                ProtocolException,
                RemoteAccessException {
    private static final long serialVersionUID = 1L;

    protected SluiceException(String message) {
        super(message);
    }

    protected SluiceException(String message, Throwable cause) {
        super(message, cause);
    }
}
