package org.sluice;

/** What a peer may do with a region by one of its keys. */
public enum Access {
    READ,
    WRITE,
    READ_AND_WRITE;

    /** Whether it covers writing, or reading. */
    public boolean allows(boolean write) {
        return this == READ_AND_WRITE || (this == WRITE) == write;
    }
}
