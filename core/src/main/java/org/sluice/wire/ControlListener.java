package org.sluice.wire;

import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;

/** What comes in on a control connection, already checked for form. Called on the agent thread. */
public interface ControlListener {
    /** @param mostChunk not checked, as nothing else is that only the data plane understands */
    void onOpen(long id, long length, long tag, long mostChunk, int priority, int flags);

    void onWrite(
            long id,
            long length,
            RemoteRegion region,
            long offset,
            int layout,
            long mostChunk,
            int priority,
            int flags);

    void onRead(
            long id,
            long length,
            RemoteRegion region,
            long offset,
            int layout,
            long mostChunk,
            int priority,
            int flags);

    /** A whole layout, of however many frames. */
    void onLayout(int number, RemoteLayout layout);

    /** The layout that comes next is for many transfers. @param number not checked, as in the two below */
    void onPrepare(int number);

    void onRelease(int number);

    /**
     * Some pieces of a prepared layout, or some more of them.
     *
     * @param total how many there are to be, not checked
     * @param indices not checked; valid until this returns
     */
    void onSelection(int number, int prepared, int total, IntBuffer indices);

    /** The sender of a transfer wants it to end. @param why not checked */
    void onCancel(long id, int why);

    /** The receiver of a transfer has ended it. @param why not checked */
    void onEnded(long id, int why);

    /** For the transfer that is announced next. */
    void onNotification(byte[] bytes);

    void onTaken(long cost);

    /** Of the transfer that is announced next. @param bytes where they came in, until {@link #onPause} */
    void onBytes(MemorySegment bytes);

    /** All that has come whole has been handed on: what is still kept of the connection's own memory is copied now. */
    default void onPause() {}

    void onGrant(long id, long offset, long bytes, int channel, int generation);

    void onLanded(long id);

    void onRefused(long id, TransferRefusal why, long detail);

    /** @param weSend whether this side is the channel's sender */
    void onChannelDown(boolean weSend, int channel, int generation, String why);

    /** The peer listens for the next life of a channel that this side sends on. @param handle foreign bytes, at most 128 */
    void onChannelHandle(int channel, int generation, byte[] handle);

    /** The peer has connected the next life of a channel that this side receives on. */
    void onChannelUp(int channel, int generation);

    /** The peer wants to hear that this side is alive. */
    void onPing();

    void onNote(byte[] note);

    void onRegion(String name, long keyHigh, long keyLow, long size);

    void onWithdraw(String name);

    /** @param totalCount since the link began, as {@code totalBytes} */
    void onCredit(CreditKind kind, long totalCount, long totalBytes);

    /** Where the peer can be met to hand over memory. @param handle foreign bytes, at most 128 */
    void onShareDoor(byte[] handle);

    /** @param state not checked */
    void onHeld(int number, int state, String why);

    void onUnshare(int number);

    /** The peer gives the link up. */
    void onError(String why);

    void onGoodbye();
}
