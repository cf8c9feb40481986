package org.sluice;

import java.nio.IntBuffer;

/**
 * A layout of this side that was checked once, for transfers of one link: posted whole, or by a selection of its pieces, nothing is
 * allocated for a piece any more. Any thread may use it.
 *
 * <p>It does not hold its regions: a transfer with one that was closed meanwhile fails with an {@link IllegalStateException}.
 */
public interface PreparedLayout extends LocalSide, AutoCloseable {
    /** How many pieces it has. */
    int count();

    /** As {@link #select(IntBuffer)}. */
    default LocalSide select(int... indices) {
        return select(IntBuffer.wrap(indices));
    }

    /**
     * Some of its pieces, in this order, for <em>one</em> transfer. The indices are read before this returns. A piece may be named
     * twice where the transfer reads from it, not where it writes to it.
     *
     * @param indices 0 to {@link #count()} - 1 each, at most {@link Pieces#MOST} from the buffer's position to its limit
     * @throws IndexOutOfBoundsException when one is another
     * @throws IllegalStateException when the layout is closed
     */
    LocalSide select(IntBuffer indices);

    /** No more transfers begin with it; those under way go on. Idempotent. */
    @Override
    void close();
}
