package org.sluice;

/** A one-sided transfer named an unknown region key or went over the region's bounds; the owner refused it. */
public final class RemoteAccessException extends SluiceException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    private final TransferRefusal reason;

    public RemoteAccessException(Where where, String what, TransferRefusal reason) {
        super(ErrorCode.REMOTE_ACCESS, where, what + ": " + reason.text());
        this.reason = reason;
    }

    private RemoteAccessException(RemoteAccessException e, Where place) {
        super(e.code(), place, e.what(), e);
        this.reason = e.reason;
    }

    @Override
    RemoteAccessException with(Where place) {
        return new RemoteAccessException(this, place);
    }

    /** Why the owner refused. */
    public TransferRefusal reason() {
        return reason;
    }
}
