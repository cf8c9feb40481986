package org.sluice;

/**
 * Everything that goes wrong in Sluice. The message is one sentence or two: where (GPU, channel, NIC, peer), what, and what to
 * do about it. What it says of kind and place is there as {@linkplain #code() values} {@linkplain #where() too}, for programs.
 */
public abstract sealed class SluiceException extends RuntimeException
        permits CancelledException,
                ClosedException,
                ConfigException,
                DeadlineException,
                LengthMismatchException,
                LinkException,
                NotDoneException,
                PeerLostException,
                ProtocolException,
                RemoteAccessException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final Where where;
    private final String what;

    protected SluiceException(ErrorCode code, Where where, String what) {
        super(where.intro() + what);
        this.code = code;
        this.where = where;
        this.what = what;
    }

    protected SluiceException(ErrorCode code, Where where, String what, Throwable cause) {
        super(where.intro() + what, cause);
        this.code = code;
        this.where = where;
        this.what = what;
    }

    /** What went wrong. */
    public ErrorCode code() {
        return code;
    }

    /** Phase, GPU, NIC, channel and peer, as far as they are known. */
    public Where where() {
        return where;
    }

    /** The message without the place that it begins with. */
    public String what() {
        return what;
    }

    /** The same with what {@code place} knows and it does not: who throws knows what, who catches may know more of where. */
    public final SluiceException at(Where place) {
        Where more = where.or(place);
        return more.equals(where) ? this : with(more);
    }

    /** A copy at another place, with this as its cause. */
    abstract SluiceException with(Where place);
}
