package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;

/**
 * What the data plane says to its peer over the control connection. Everything is only buffered: the agent sends it at the end
 * of its turn. Belongs to the agent thread; allocates nothing per chunk.
 */
public interface LinkControl {
    /** Whether more may be said now that can wait: announcements and what belongs to them. */
    boolean hasRoom();

    /** The n-th send of this link exists; or, a read is accepted. */
    void open(Announcement send);

    /** Please receive into your region at {@code offset}; or into the layout of the number {@code layout}, where the flag says so. */
    void write(Announcement write, RemoteRegion to, long offset, int layout);

    /** Please send from your region from {@code offset} on; or from a layout, as in {@link #write}. */
    void read(Announcement read, RemoteRegion from, long offset, int layout);

    /** A layout of the peer's regions, under a number for the transfer that is announced next. */
    void layout(int number, RemoteLayout layout);

    /** Whether {@link #bytes} and {@link #notification} go encrypted and authenticated, as chunks of a protected channel do. */
    default boolean isSealed() {
        return false;
    }

    /** The layout that comes next by this number is to be kept, for any number of transfers. */
    void prepare(int number);

    /** No transfer will name a prepared layout any more. */
    void release(int number);

    /**
     * Some pieces of a prepared layout, for a transfer that is about to be announced.
     *
     * @param indices the first {@code count} count; they are not kept
     */
    void selection(int number, int prepared, int[] indices, int count);

    /** The buffer of a chunk is posted on the channel: send it there. */
    void grant(long id, long offset, long bytes, int channel, int generation);

    /** Every byte of the transfer has landed. */
    void landed(long id);

    /** The transfer cannot be done. @param detail the own length for {@link TransferRefusal#LENGTH}, else 0 */
    void refused(long id, TransferRefusal why, long detail);

    /** The bytes of the transfer that is announced next, where its flag says so. @param fill puts them where they go from, before this returns */
    void bytes(int length, Consumer<MemorySegment> fill);

    /** For the transfer that is announced next: what the peer's program is to be told when it has landed. */
    void notification(byte[] bytes);

    /** This side's program has taken notifications: credit for so much more. */
    void taken(long cost);

    /** The sender of a transfer wants it to end now: no more grants. */
    void cancel(long id, EndReason why);

    /** The receiver of a transfer has ended it: nothing of it is granted any more. */
    void ended(long id, EndReason why);

    /** Please answer: this side wonders whether the peer or only a rail has gone silent. The answer goes to {@link LinkEngine#heard}. */
    void probe();

    /** The sender's or the receiver's end of a channel broke and is closed. @param peerSends whether the peer is its sender */
    void channelDown(boolean peerSends, int channel, int generation, String why);
}
