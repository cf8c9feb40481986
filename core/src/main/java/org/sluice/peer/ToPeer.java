package org.sluice.peer;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.LinkControl;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.FrameType;

/**
 * What the data plane says, put on the control connection: the data plane knows no wire, and the wire no data plane.
 *
 * @param isSealed whether a program's bytes are encrypted and authenticated on it
 */
record ToPeer(ControlConnection connection, boolean isSealed) implements LinkControl {
    @Override
    public boolean hasRoom() {
        return connection.hasRoom();
    }

    @Override
    public void open(Announcement a) {
        connection.open(a.id(), a.length(), a.tag(), a.mostChunk(), a.priority(), a.flags());
    }

    @Override
    public void write(Announcement a, RemoteRegion to, long offset, int layout) {
        oneSided(FrameType.WRITE, a, to, offset, layout);
    }

    @Override
    public void read(Announcement a, RemoteRegion from, long offset, int layout) {
        oneSided(FrameType.READ, a, from, offset, layout);
    }

    private void oneSided(FrameType type, Announcement a, RemoteRegion region, long offset, int layout) {
        connection.oneSided(type, a.id(), a.length(), region, offset, layout, a.mostChunk(), a.priority(), a.flags());
    }

    @Override
    public void layout(int number, RemoteLayout layout) {
        connection.layout(number, layout);
    }

    @Override
    public void prepare(int number) {
        connection.prepare(number);
    }

    @Override
    public void release(int number) {
        connection.release(number);
    }

    @Override
    public void selection(int number, int prepared, int[] indices, int count) {
        connection.selection(number, prepared, indices, count);
    }

    @Override
    public void bytes(int length, Consumer<MemorySegment> fill) {
        connection.bytes(length, fill);
    }

    @Override
    public void notification(byte[] bytes) {
        connection.notification(bytes);
    }

    @Override
    public void taken(long cost) {
        connection.taken(cost);
    }

    @Override
    public void cancel(long id, EndReason why) {
        connection.cancel(id, why.code());
    }

    @Override
    public void ended(long id, EndReason why) {
        connection.ended(id, why.code());
    }

    @Override
    public void grant(long id, long offset, long bytes, int channel, int generation) {
        connection.grant(id, offset, bytes, channel, generation);
    }

    @Override
    public void landed(long id) {
        connection.landed(id);
    }

    @Override
    public void refused(long id, TransferRefusal why, long detail) {
        connection.refused(id, why, detail);
    }

    @Override
    public void probe() {
        connection.probe();
    }

    @Override
    public void channelDown(boolean peerSends, int channel, int generation, String why) {
        connection.channelDown(peerSends, channel, generation, why);
    }
}
