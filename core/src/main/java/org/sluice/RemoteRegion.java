package org.sluice;

/**
 * A region of a peer, by its key: 128 random bits that the owner gave out.
 *
 * @param size bytes; the owner checks every access all the same
 */
public record RemoteRegion(long keyHigh, long keyLow, long size) {
    /** Keys are secrets: a log line must not show them. */
    @Override
    public String toString() {
        return "RemoteRegion[" + size + " bytes]";
    }
}
