package org.sluice.cuda;

import org.jspecify.annotations.Nullable;

/** CUDA cannot be used on this machine. The message is one sentence: what was found, and what to do. */
final class CudaUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    CudaUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
