package org.sluice.transfer;

/**
 * What the side that begins a transfer says of it.
 *
 * @param id its number, see {@link MessageId}
 * @param length its bytes
 * @param mostChunk the longest chunk that this side can do, at least 1
 * @param priority 0 to {@link PulledStriping#MOST_PRIORITY}
 * @param flags of those below
 * @param tag where {@link #TAGGED}
 */
public record Announcement(long id, long length, long mostChunk, int priority, int flags, long tag) {
    /** A send that meets a receive of the same tag. */
    public static final int TAGGED = 1;

    /** A notification was said just before, which belongs to it. */
    public static final int NOTED = 2;

    /** The peer's side is a layout, or a selection of a prepared one, that was said before, for this transfer alone. */
    public static final int LAYOUT = 4;

    /** Its bytes came with the announcement. */
    public static final int SMALL = 8;

    /** The peer's side is all of a layout that was prepared. */
    public static final int PREPARED = 16;

    /** Its bytes lie in the layout that was said last, of blocks that the receiver has open: it may pull them instead of granting. */
    public static final int PULLED = 32;

    boolean has(int flag) {
        return (flags & flag) != 0;
    }
}
