package org.sluice;

/** What went wrong, for programs: the kind of a {@link SluiceException}, finer than its class and steadier than its message. */
public enum ErrorCode {
    /** A setting is wrong or does not fit this machine or the peer. */
    CONFIG,
    /** This machine or its container gives no more of something: threads, ports, memory. */
    RESOURCES,
    /** The node or the link was closed. */
    CLOSED,
    /** The calling thread was interrupted while it waited. */
    INTERRUPTED,
    /** What was waited for is not done yet and goes on. */
    NOT_DONE,
    /** The n-th send and the n-th receive differ in length. */
    LENGTH_MISMATCH,
    /** The owner of a region refused a one-sided transfer. */
    REMOTE_ACCESS,
    /** A transfer was cancelled by a program. */
    CANCELLED,
    /** A transfer had not ended at its deadline. */
    DEADLINE,
    /** The peer said what the protocol does not allow. */
    PROTOCOL,
    /** The peer speaks another version of the protocol. */
    VERSION,
    /** The shared secrets differ, one is missing, or a certificate is not trusted. */
    AUTHENTICATION,
    /** The peer said no while the link was being made. */
    REFUSED,
    /** Nobody answered, or a phase of making a link passed its deadline. */
    UNREACHABLE,
    /** A direction of the link has had no rail for the deadline. */
    NO_RAIL,
    /** The link failed for another reason. */
    LINK,
    /** The peer died, froze or was cut off. */
    PEER_LOST,
    /** The peer gave the link up and said why. */
    PEER_GAVE_UP,
    /** This side asked for more than may be unfinished at once. */
    LIMIT,
    /** The agent of the GPU has ended, and with it every link and transfer of the GPU. */
    AGENT_ENDED,
    /** The agent of the GPU does not come back from a call of a plugin or driver. */
    AGENT_HANGS,
    /** A defect of Sluice. */
    INTERNAL
}
