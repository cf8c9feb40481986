package org.sluice.peer;

import org.sluice.TransferRefusal;
import org.sluice.transfer.LinkControl;

/** Where there is no control connection (UCCL's bootstrap), nothing is ever said over one: round-robin striping needs nothing. */
enum NoControl implements LinkControl {
    INSTANCE;

    private static IllegalStateException none() {
        return new IllegalStateException("this link has no control connection");
    }

    @Override
    public void open(long id, long length) {
        throw none();
    }

    @Override
    public void write(long id, long keyHigh, long keyLow, long offset, long length) {
        throw none();
    }

    @Override
    public void read(long id, long keyHigh, long keyLow, long offset, long length) {
        throw none();
    }

    @Override
    public void grant(long id, long offset, int channel, int generation) {
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
