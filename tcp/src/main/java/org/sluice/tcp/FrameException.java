package org.sluice.tcp;

import java.io.IOException;

/** The peer has sent on a data connection what no Sluice sends: the connection cannot be gone on with. */
final class FrameException extends IOException {
    private static final long serialVersionUID = 1L;

    FrameException(String message) {
        super(message);
    }
}
