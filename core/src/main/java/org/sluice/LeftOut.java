package org.sluice;

/**
 * A network device that a transport does not use.
 *
 * @param nic its field name
 * @param reason continues the name: {@code is down}, {@code is a bridge without a port}
 */
public record LeftOut(String nic, String reason) {
    /** {@code eth3 is down}. */
    @Override
    public String toString() {
        return nic + " " + reason;
    }
}
