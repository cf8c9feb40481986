package org.sluice.daemon;

import java.nio.ByteBuffer;

/** 128 bits that a client drew: of a region, or its mailbox. A secret: logs must not show it. */
record Key(long high, long low) {
    static Key read(ByteBuffer from) {
        return new Key(from.getLong(), from.getLong());
    }

    void write(ByteBuffer to) {
        to.putLong(high).putLong(low);
    }

    boolean isZero() {
        return (high | low) == 0;
    }

    @Override
    public String toString() {
        return "a key";
    }
}
