package org.sluice.peer;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Optional;

/** An address with the length of its prefix in bits. */
record Subnet(InetAddress address, int prefix) {
    /** @param text {@code 10.1.0.2/24}, or without prefix: then the subnet is the address alone. Empty for what is no address */
    static Optional<Subnet> parse(String text) {
        int slash = text.indexOf('/');
        try {
            // a literal only: the text is the peer's word, and must not make this side ask a name server
            InetAddress address = InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
            int bits = address.getAddress().length * 8;
            int prefix = slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1));
            return prefix < 0 || prefix > bits ? Optional.empty() : Optional.of(new Subnet(address, prefix));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    boolean isIpv6() {
        return address instanceof Inet6Address;
    }

    /** Whether it means something on its own wire only. */
    boolean isLinkLocal() {
        return address.isLinkLocalAddress();
    }

    /** The bits that two neighbours share, the shorter prefix of the two; 0 where they are none. */
    int sharedWith(Subnet other) {
        byte[] p = address.getAddress();
        byte[] q = other.address.getAddress();
        int shorter = Math.min(prefix, other.prefix);
        if (p.length != q.length) {
            return 0;
        }
        for (int bit = 0; bit < shorter; bit += 8) {
            int mask = shorter - bit >= 8 ? 0xff : (0xff << (8 - (shorter - bit))) & 0xff;
            if (((p[bit / 8] ^ q[bit / 8]) & mask) != 0) {
                return 0;
            }
        }
        return shorter;
    }
}
