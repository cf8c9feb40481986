package org.sluice.data;

/** Why a receiver, or the owner of a region, will not do a transfer. The ordinal goes over the wire. */
public enum TransferRefusal {
    /** The receive has another length than the send. */
    LENGTH("the lengths differ"),
    /** No region has that key. */
    KEY("no region of the peer has this key"),
    /** The range is not inside the region. */
    BOUNDS("the range is not inside the peer's region");

    private final String text;

    TransferRefusal(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }
}
