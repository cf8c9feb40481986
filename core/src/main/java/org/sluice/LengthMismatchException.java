package org.sluice;

/** The n-th send and the n-th receive of a link differ in length; both fail, both name both lengths. */
public final class LengthMismatchException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public LengthMismatchException(String message) {
        super(ErrorCode.LENGTH_MISMATCH, Where.NOWHERE, message);
    }

    public LengthMismatchException(String message, Throwable cause) {
        super(ErrorCode.LENGTH_MISMATCH, Where.NOWHERE, message, cause);
    }

    public LengthMismatchException(Where where, String what) {
        super(ErrorCode.LENGTH_MISMATCH, where, what);
    }

    public LengthMismatchException(Where where, String what, Throwable cause) {
        super(ErrorCode.LENGTH_MISMATCH, where, what, cause);
    }

    @Override
    LengthMismatchException with(Where place) {
        return new LengthMismatchException(place, what(), this);
    }
}
