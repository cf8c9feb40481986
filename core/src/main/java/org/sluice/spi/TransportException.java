package org.sluice.spi;

import java.io.IOException;

/** A transport or one of its channels failed. The message says what was tried, on which NIC or address, and the system's answer. */
public class TransportException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int code;

    public TransportException(String message) {
        this(message, 0);
    }

    /** @param code errno or the plugin's result code, 0 where there is none */
    public TransportException(String message, int code) {
        super(message);
        this.code = code;
    }

    public TransportException(String message, Throwable cause) {
        super(message, cause);
        this.code = 0;
    }

    public int code() {
        return code;
    }
}
