package org.sluice;

import java.nio.IntBuffer;

/**
 * A layout of the peer's regions that the peer was told once and has checked, for transfers of one link: what a transfer says of it is
 * its number, and the indices where it is not whole. Any thread may use it.
 *
 * <p>What the peer finds wrong with it (a key that it does not know, pieces that are not inside their regions), each transfer with it
 * fails with as a {@link RemoteAccessException}; so it does once the peer has withdrawn a region that it names.
 */
public interface PreparedRemoteLayout extends RemoteSide, AutoCloseable {
    /** How many pieces it has. */
    int count();

    /** As {@link #select(IntBuffer)}. */
    default RemoteSide select(int... indices) {
        return select(IntBuffer.wrap(indices));
    }

    /**
     * Some of its pieces, in this order, for <em>one</em> transfer. The indices are read before this returns. A piece may be named
     * twice where the transfer reads from it; the peer refuses a write that does.
     *
     * @param indices 0 to {@link #count()} - 1 each, at most {@link Pieces#MOST} from the buffer's position to its limit
     * @throws IndexOutOfBoundsException when one is another
     * @throws IllegalStateException when the layout is closed
     */
    RemoteSide select(IntBuffer indices);

    /** No more transfers begin with it; once those under way have ended the peer forgets it. Idempotent. */
    @Override
    void close();
}
