package org.sluice;

/**
 * What was waited for was not done in time. Nothing is lost and nothing was given up: it goes on, and may be waited for again.
 */
public final class NotDoneException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public NotDoneException(String message) {
        super(ErrorCode.NOT_DONE, Where.NOWHERE, message);
    }

    public NotDoneException(String message, Throwable cause) {
        super(ErrorCode.NOT_DONE, Where.NOWHERE, message, cause);
    }

    public NotDoneException(Where where, String what) {
        super(ErrorCode.NOT_DONE, where, what);
    }

    public NotDoneException(Where where, String what, Throwable cause) {
        super(ErrorCode.NOT_DONE, where, what, cause);
    }

    @Override
    NotDoneException with(Where place) {
        return new NotDoneException(place, what(), this);
    }
}
