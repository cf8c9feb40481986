package org.sluice;

import org.jspecify.annotations.Nullable;

/** Why a receiver, or the owner of a region, will not do a transfer. The code goes over the wire. */
public enum TransferRefusal {
    /** The receive has another length than the send. */
    LENGTH(0, "the lengths differ"),
    /** No region has that key. */
    KEY(1, "no region of the peer has this key"),
    /** The range is not inside the region. */
    BOUNDS(2, "the range is not inside the peer's region"),
    /** Pieces that are to be written to overlap, or a block is named twice. */
    OVERLAP(3, "pieces of the target overlap, or a block is named twice"),
    /** The key gives no right to write, or none to read. */
    RIGHTS(4, "the key does not give this right"),
    /** The owner has withdrawn the key meanwhile. */
    WITHDRAWN(5, "the owner has withdrawn the key");

    private final int code;
    private final String text;

    TransferRefusal(int code, String text) {
        this.code = code;
        this.text = text;
    }

    public int code() {
        return code;
    }

    /** The refusal with this code; null where there is none. */
    public static @Nullable TransferRefusal of(int code) {
        for (TransferRefusal r : values()) {
            if (r.code == code) {
                return r;
            }
        }
        return null;
    }

    public String text() {
        return text;
    }
}
