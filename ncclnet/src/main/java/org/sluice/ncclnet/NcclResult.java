package org.sluice.ncclnet;

/** The result codes of NCCL ({@code ncclResult_t} of nccl.h), which every plugin function returns. */
final class NcclResult {
    static final int SUCCESS = 0;

    private static final String[] NAMES = {
        "ncclSuccess",
        "ncclUnhandledCudaError",
        "ncclSystemError",
        "ncclInternalError",
        "ncclInvalidArgument",
        "ncclInvalidUsage",
        "ncclRemoteError",
        "ncclInProgress"
    };

    private NcclResult() {}

    /** {@code ncclSystemError (2)}. */
    static String text(int code) {
        return (code >= 0 && code < NAMES.length ? NAMES[code] : "an unknown code") + " (" + code + ")";
    }
}
