package org.sluice;

/** The peer said something that the protocol does not allow, or speaks another version of it. */
public final class ProtocolException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public ProtocolException(String message) {
        super(ErrorCode.PROTOCOL, Where.NOWHERE, message);
    }

    public ProtocolException(String message, Throwable cause) {
        super(ErrorCode.PROTOCOL, Where.NOWHERE, message, cause);
    }

    public ProtocolException(Where where, String what) {
        super(ErrorCode.PROTOCOL, where, what);
    }

    public ProtocolException(Where where, String what, Throwable cause) {
        super(ErrorCode.PROTOCOL, where, what, cause);
    }

    public ProtocolException(ErrorCode code, Where where, String what) {
        super(code, where, what);
    }

    public ProtocolException(ErrorCode code, Where where, String what, Throwable cause) {
        super(code, where, what, cause);
    }

    @Override
    ProtocolException with(Where place) {
        return new ProtocolException(code(), place, what(), this);
    }
}
