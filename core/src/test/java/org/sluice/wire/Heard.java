package org.sluice.wire;

import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;

/** Writes down what a control connection hands on. */
public final class Heard implements ControlListener {
    public final List<String> said = new ArrayList<>();
    public final List<RemoteLayout> layouts = new ArrayList<>();
    public final List<Integer> selected = new ArrayList<>();

    @Override
    public void onOpen(long id, long length, long tag, long mostChunk, int priority, int flags) {
        said.add("open " + id + " " + length + " " + tag + " " + mostChunk + " " + priority + " " + flags);
    }

    @Override
    public void onWrite(
            long id, long length, RemoteRegion to, long offset, int layout, long mostChunk, int priority, int flags) {
        oneSided("write", id, length, to, offset, layout, mostChunk, priority, flags);
    }

    @Override
    public void onRead(
            long id, long length, RemoteRegion from, long offset, int layout, long mostChunk, int priority, int flags) {
        oneSided("read", id, length, from, offset, layout, mostChunk, priority, flags);
    }

    private void oneSided(
            String what,
            long id,
            long length,
            RemoteRegion region,
            long offset,
            int layout,
            long mostChunk,
            int priority,
            int flags) {
        said.add(what + " " + id + " " + length + " " + region.keyHigh() + " " + region.keyLow() + " " + offset + " "
                + layout + " " + mostChunk + " " + priority + " " + flags);
    }

    @Override
    public void onLayout(int number, RemoteLayout layout) {
        said.add("layout " + number + " " + layout.regions().size() + " regions, " + layout.pieces());
        layouts.add(layout);
    }

    @Override
    public void onPrepare(int number) {
        said.add("prepare " + number);
    }

    @Override
    public void onRelease(int number) {
        said.add("release " + number);
    }

    @Override
    public void onSelection(int number, int prepared, int total, IntBuffer indices) {
        said.add("selection " + number + " of " + prepared + ", " + total);
        while (indices.hasRemaining()) {
            selected.add(indices.get());
        }
    }

    @Override
    public void onCancel(long id, int why) {
        said.add("cancel " + id + " " + why);
    }

    @Override
    public void onEnded(long id, int why) {
        said.add("ended " + id + " " + why);
    }

    @Override
    public void onNotification(byte[] bytes) {
        said.add("notification " + bytes.length);
    }

    @Override
    public void onTaken(long cost) {
        said.add("taken " + cost);
    }

    @Override
    public void onBytes(MemorySegment bytes) {
        said.add("bytes " + bytes.byteSize());
    }

    @Override
    public void onGrant(long id, long offset, long bytes, int channel, int generation) {
        said.add("grant " + id + " " + offset + " " + bytes + " " + channel + " " + generation);
    }

    @Override
    public void onLanded(long id) {
        said.add("landed " + id);
    }

    @Override
    public void onRefused(long id, TransferRefusal why, long detail) {
        said.add("refused " + id + " " + why + " " + detail);
    }

    @Override
    public void onChannelDown(boolean weSend, int channel, int generation, String why) {
        said.add("down " + weSend + " " + channel + " " + generation + " " + why);
    }

    @Override
    public void onChannelHandle(int channel, int generation, byte[] handle) {
        said.add("handle " + channel + " " + generation + " " + HexFormat.of().formatHex(handle));
    }

    @Override
    public void onChannelUp(int channel, int generation) {
        said.add("up " + channel + " " + generation);
    }

    @Override
    public void onPing() {
        said.add("ping");
    }

    @Override
    public void onNote(byte[] note) {
        said.add("note " + note.length);
    }

    @Override
    public void onRegion(String name, long keyHigh, long keyLow, long size) {
        said.add("region " + name + " " + keyHigh + " " + keyLow + " " + size);
    }

    @Override
    public void onWithdraw(String name) {
        said.add("withdraw " + name);
    }

    @Override
    public void onCredit(CreditKind kind, long totalCount, long totalBytes) {
        said.add("credit " + kind + " " + totalCount + " " + totalBytes);
    }

    @Override
    public void onShareDoor(byte[] handle) {
        said.add("door " + HexFormat.of().formatHex(handle));
    }

    @Override
    public void onHeld(int number, int state, String why) {
        said.add("held " + number + " " + state + " " + why);
    }

    @Override
    public void onUnshare(int number) {
        said.add("unshare " + number);
    }

    @Override
    public void onError(String why) {
        said.add("error " + why);
    }

    @Override
    public void onGoodbye() {
        said.add("goodbye");
    }
}
