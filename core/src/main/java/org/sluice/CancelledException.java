package org.sluice;

/** A transfer was cancelled, by this side's program or by the peer's. The link lives on. */
public final class CancelledException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public CancelledException(Where where, String what) {
        super(ErrorCode.CANCELLED, where, what);
    }

    private CancelledException(Where where, String what, Throwable cause) {
        super(ErrorCode.CANCELLED, where, what, cause);
    }

    @Override
    CancelledException with(Where place) {
        return new CancelledException(place, what(), this);
    }
}
