package org.sluice.peer;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.LinkControl;

/** Where there is no control connection (UCCL's bootstrap), nothing is ever said over one: round-robin striping needs nothing. */
enum NoControl implements LinkControl {
    INSTANCE;

    private static IllegalStateException none() {
        return new IllegalStateException("this link has no control connection");
    }

    @Override
    public boolean hasRoom() {
        return false;
    }

    @Override
    public void open(Announcement send) {
        throw none();
    }

    @Override
    public void write(Announcement write, RemoteRegion to, long offset, int layout) {
        throw none();
    }

    @Override
    public void read(Announcement read, RemoteRegion from, long offset, int layout) {
        throw none();
    }

    @Override
    public void layout(int number, RemoteLayout layout) {
        throw none();
    }

    @Override
    public void prepare(int number) {
        throw none();
    }

    @Override
    public void release(int number) {
        throw none();
    }

    @Override
    public void selection(int number, int prepared, int[] indices, int count) {
        throw none();
    }

    @Override
    public void bytes(int length, Consumer<MemorySegment> fill) {
        throw none();
    }

    @Override
    public void notification(byte[] bytes) {
        throw none();
    }

    @Override
    public void taken(long cost) {
        throw none();
    }

    @Override
    public void cancel(long id, EndReason why) {
        throw none();
    }

    @Override
    public void ended(long id, EndReason why) {
        throw none();
    }

    @Override
    public void grant(long id, long offset, long bytes, int channel, int generation) {
        throw none();
    }

    @Override
    public void landed(long id) {
        throw none();
    }

    @Override
    public void refused(long id, TransferRefusal why, long detail) {
        throw none();
    }

    @Override
    public void probe() {
        throw none();
    }

    @Override
    public void channelDown(boolean peerSends, int channel, int generation, String why) {
        throw none();
    }
}
