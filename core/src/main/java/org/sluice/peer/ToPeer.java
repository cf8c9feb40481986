package org.sluice.peer;

import org.sluice.TransferRefusal;
import org.sluice.transfer.LinkControl;
import org.sluice.wire.ControlConnection;

/** What the data plane says, put on the control connection: the data plane knows no wire, and the wire no data plane. */
record ToPeer(ControlConnection connection) implements LinkControl {
    @Override
    public void open(long id, long length) {
        connection.open(id, length);
    }

    @Override
    public void write(long id, long keyHigh, long keyLow, long offset, long length) {
        connection.write(id, keyHigh, keyLow, offset, length);
    }

    @Override
    public void read(long id, long keyHigh, long keyLow, long offset, long length) {
        connection.read(id, keyHigh, keyLow, offset, length);
    }

    @Override
    public void grant(long id, long offset, int channel, int generation) {
        connection.grant(id, offset, channel, generation);
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
