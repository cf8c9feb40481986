package org.sluice;

/** A transfer had not ended at its deadline, which either side had set. The link lives on. */
public final class DeadlineException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public DeadlineException(Where where, String what) {
        super(ErrorCode.DEADLINE, where, what);
    }

    private DeadlineException(Where where, String what, Throwable cause) {
        super(ErrorCode.DEADLINE, where, what, cause);
    }

    @Override
    DeadlineException with(Where place) {
        return new DeadlineException(place, what(), this);
    }
}
