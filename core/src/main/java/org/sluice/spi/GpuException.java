package org.sluice.spi;

/** A memory backend failed. The message names the call, its result by name and number, and the GPU. */
public class GpuException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int code;

    public GpuException(String message, int code) {
        super(message);
        this.code = code;
    }

    public GpuException(String message, Throwable cause) {
        super(message, cause);
        this.code = 0;
    }

    /** The backend's own code (CUresult for CUDA), 0 where there is none. */
    public int code() {
        return code;
    }
}
