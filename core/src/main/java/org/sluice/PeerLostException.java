package org.sluice;

/** The peer died, froze or was cut off; every transfer of the link fails. */
public final class PeerLostException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public PeerLostException(String message) {
        super(ErrorCode.PEER_LOST, Where.NOWHERE, message);
    }

    public PeerLostException(String message, Throwable cause) {
        super(ErrorCode.PEER_LOST, Where.NOWHERE, message, cause);
    }

    public PeerLostException(Where where, String what) {
        super(ErrorCode.PEER_LOST, where, what);
    }

    public PeerLostException(Where where, String what, Throwable cause) {
        super(ErrorCode.PEER_LOST, where, what, cause);
    }

    public PeerLostException(ErrorCode code, Where where, String what) {
        super(code, where, what);
    }

    public PeerLostException(ErrorCode code, Where where, String what, Throwable cause) {
        super(code, where, what, cause);
    }

    @Override
    PeerLostException with(Where place) {
        return new PeerLostException(code(), place, what(), this);
    }
}
