package org.sluice;

/** A link could not be made, or lost all its channels: a phase passed its deadline, a rail cannot be reached, the peer refused. */
public final class LinkException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public LinkException(String message) {
        super(ErrorCode.LINK, Where.NOWHERE, message);
    }

    public LinkException(String message, Throwable cause) {
        super(ErrorCode.LINK, Where.NOWHERE, message, cause);
    }

    public LinkException(Where where, String what) {
        super(ErrorCode.LINK, where, what);
    }

    public LinkException(Where where, String what, Throwable cause) {
        super(ErrorCode.LINK, where, what, cause);
    }

    public LinkException(ErrorCode code, Where where, String what) {
        super(code, where, what);
    }

    public LinkException(ErrorCode code, Where where, String what, Throwable cause) {
        super(code, where, what, cause);
    }

    @Override
    LinkException with(Where place) {
        return new LinkException(code(), place, what(), this);
    }
}
