package org.sluice.peer;

import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import org.jspecify.annotations.Nullable;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.Where;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.LinkEngine;
import org.sluice.wire.ControlListener;
import org.sluice.wire.CreditKind;

/** What a peer says on a link, handed to whom it concerns: the data plane, repair, the program's words, what is shared. Agent thread only. */
final class PeerListener implements ControlListener {
    /** How a peer's word ends the link. */
    interface End {
        void failed(PeerLostException why);

        void goodbye(ClosedException why);
    }

    private final LinkEngine engine;
    private final ControlPlane plane;
    private final @Nullable LinkSharing sharing;
    private final End end;
    private final Where where;

    PeerListener(LinkEngine engine, ControlPlane plane, @Nullable LinkSharing sharing, End end, Where where) {
        this.engine = engine;
        this.plane = plane;
        this.sharing = sharing;
        this.end = end;
        this.where = where;
    }

    @Override
    public void onOpen(long id, long length, long tag, long mostChunk, int priority, int flags) {
        engine.requests().onOpen(new Announcement(id, length, mostChunk, priority, flags, tag), plane.now());
    }

    @Override
    public void onWrite(
            long id,
            long length,
            RemoteRegion region,
            long offset,
            int layout,
            long mostChunk,
            int priority,
            int flags) {
        engine.requests()
                .onWrite(
                        new Announcement(id, length, mostChunk, priority, flags, 0),
                        region,
                        offset,
                        layout,
                        plane.now());
    }

    @Override
    public void onRead(
            long id,
            long length,
            RemoteRegion region,
            long offset,
            int layout,
            long mostChunk,
            int priority,
            int flags) {
        engine.requests().onRead(new Announcement(id, length, mostChunk, priority, flags, 0), region, offset, layout);
    }

    @Override
    public void onLayout(int number, RemoteLayout layout) {
        engine.requests().onLayout(number, layout);
    }

    @Override
    public void onPrepare(int number) {
        engine.requests().onPrepare(number);
    }

    @Override
    public void onRelease(int number) {
        engine.requests().onRelease(number);
    }

    @Override
    public void onSelection(int number, int prepared, int total, IntBuffer indices) {
        engine.requests().onSelection(number, prepared, total, indices);
    }

    @Override
    public void onCancel(long id, int why) {
        engine.requests().onCancel(id, reason(why));
    }

    @Override
    public void onEnded(long id, int why) {
        engine.requests().onEnded(id, reason(why));
    }

    private EndReason reason(int code) {
        EndReason reason = EndReason.of(code);
        if (reason == null) {
            throw new ProtocolException(where, "the peer ended a transfer for unknown reason " + code);
        }
        return reason;
    }

    @Override
    public void onNotification(byte[] bytes) {
        engine.requests().onNotification(bytes);
    }

    @Override
    public void onTaken(long cost) {
        engine.requests().onTaken(cost);
    }

    @Override
    public void onBytes(MemorySegment bytes) {
        engine.requests().onBytes(bytes);
    }

    @Override
    public void onPause() {
        engine.requests().onPause();
    }

    @Override
    public void onGrant(long id, long offset, long bytes, int channel, int generation) {
        engine.requests().onGrant(id, offset, bytes, channel, generation);
    }

    @Override
    public void onLanded(long id) {
        engine.requests().onLanded(id);
    }

    @Override
    public void onRefused(long id, TransferRefusal why, long detail) {
        engine.requests().onRefused(id, why, detail);
    }

    @Override
    public void onChannelDown(boolean weSend, int channel, int generation, String why) {
        engine.onChannelDown(weSend, channel, generation, why);
        plane.repair().onDown(weSend, channel, generation, why, plane.now());
    }

    @Override
    public void onChannelHandle(int channel, int generation, byte[] handle) {
        plane.repair().onHandle(channel, generation, handle, plane.now());
    }

    @Override
    public void onChannelUp(int channel, int generation) {
        plane.repair().onUp(channel, generation);
    }

    @Override
    public void onShareDoor(byte[] handle) {
        sharing("a door").onDoor(handle);
    }

    @Override
    public void onHeld(int number, int state, String why) {
        sharing("a block").onHeld(number, state, why);
    }

    @Override
    public void onUnshare(int number) {
        sharing("a block").onUnshare(number);
    }

    private LinkSharing sharing(String what) {
        if (sharing == null) {
            throw new ProtocolException(where, "the peer speaks of " + what + " of memory, which is not shared here");
        }
        return sharing;
    }

    @Override
    public void onPing() {
        plane.control().pong();
    }

    @Override
    public void onNote(byte[] note) {
        plane.words().onNote(note);
    }

    @Override
    public void onRegion(String name, long keyHigh, long keyLow, long size) {
        plane.words().onRegion(name, new RemoteRegion(keyHigh, keyLow, size));
    }

    @Override
    public void onWithdraw(String name) {
        plane.words().onWithdraw(name);
    }

    @Override
    public void onCredit(CreditKind kind, long totalCount, long totalBytes) {
        plane.words().onCredit(kind, totalCount, totalBytes);
    }

    @Override
    public void onError(String why) {
        end.failed(new PeerLostException(ErrorCode.PEER_GAVE_UP, where, "the peer gave the link up: " + why));
    }

    @Override
    public void onGoodbye() {
        end.goodbye(new ClosedException(where, "the peer closed the link"));
    }
}
