package org.sluice.linux;

import java.net.InetAddress;

/** An address of a network device with the length of its subnet prefix in bits. */
public record NetAddress(InetAddress address, int prefixLength) {
    /** Whether {@code other} lies in this address's subnet. */
    public boolean covers(InetAddress other) {
        byte[] mine = address.getAddress();
        byte[] its = other.getAddress();
        if (mine.length != its.length) {
            return false;
        }
        for (int bit = 0; bit < prefixLength; bit++) {
            int mask = 0x80 >> (bit & 7);
            if (((mine[bit >> 3] ^ its[bit >> 3]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    /** {@code 10.1.0.2/24}; an IPv6 address comes without its zone. */
    @Override
    public String toString() {
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return (zone < 0 ? text : text.substring(0, zone)) + "/" + prefixLength;
    }
}
