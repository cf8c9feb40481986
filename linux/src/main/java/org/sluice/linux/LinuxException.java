package org.sluice.linux;

import java.io.IOException;

/** A system call failed. The message names the call, what it was for, and the system's answer. */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    public LinuxException(String what, int errno) {
        super(what + ": " + Libc.text(errno));
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }
}
