package org.sluice;

/** The node or the link was closed, here or by the peer's goodbye, before the transfer could finish. */
public final class ClosedException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public ClosedException(String message) {
        super(ErrorCode.CLOSED, Where.NOWHERE, message);
    }

    public ClosedException(String message, Throwable cause) {
        super(ErrorCode.CLOSED, Where.NOWHERE, message, cause);
    }

    public ClosedException(Where where, String what) {
        super(ErrorCode.CLOSED, where, what);
    }

    public ClosedException(Where where, String what, Throwable cause) {
        super(ErrorCode.CLOSED, where, what, cause);
    }

    public ClosedException(ErrorCode code, Where where, String what) {
        super(code, where, what);
    }

    public ClosedException(ErrorCode code, Where where, String what, Throwable cause) {
        super(code, where, what, cause);
    }

    @Override
    ClosedException with(Where place) {
        return new ClosedException(code(), place, what(), this);
    }
}
