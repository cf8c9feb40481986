package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.ListQueue;

/**
 * The memory of both sides of a link on which the receiver pulls: which blocks of this side's the peer has open, and which of the
 * peer's are open here. Belongs to the agent.
 */
public interface PulledMemory {
    /** {@link #number}: it is being shared, ask again. */
    int NOT_YET = -1;

    /** {@link #number}: it cannot be shared, or the peer cannot open it; the log has said why. */
    int NEVER = -2;

    /** Whether transfers may be offered to the peer: it has copied from this side's memory, and this side from its. */
    boolean isOn();

    /** By which number the peer knows a block; what it does not know is shared with it now. */
    int number(MemoryBlock block);

    /** A block of the peer's that is open here; null where there is none of the number. */
    @Nullable MemoryBlock open(int number);

    /** Keeps one open until {@link #release}. */
    void use(int number);

    void release(int number);

    /** Whether memory that cannot be pulled from ends the link, since the user wants no other way. @param why what cannot be */
    boolean isDemanded();

    /** Says that this side vouches for its memory no more: before anybody who gave it hears that its transfer is over. */
    void giveUp();

    /** Whether the peer has said so: what is copied and was not found whole before counts no more. */
    boolean peerGaveUp();

    /** Most bytes of one step of a range, and of a list. */
    long stepBytes();

    /** A new queue for ranges. */
    CopyQueue copies(int capacity);

    /** A new queue for lists. */
    ListQueue lists(int moves);

    /** Bytes that came, or that the peer has taken. */
    void count(boolean sending, long bytes);
}
