package org.sluice.daemon;

/** What a client asked for cannot be done; the client is told and goes on. */
final class ClientException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Status status;

    ClientException(Status status, String message) {
        super(message);
        this.status = status;
    }

    ClientException(Status status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    Status status() {
        return status;
    }
}
