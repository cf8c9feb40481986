package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;

/** {@code struct sockaddr_in} and {@code sockaddr_in6}, to and fro. */
final class SocketAddresses {
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;

    /** Of the longer one. */
    static final int BYTES = 28;

    private static final int SHORT_BYTES = 16;
    private static final int ADDRESS4 = 4;
    private static final int ADDRESS6 = 8;
    private static final int SCOPE = 24;
    private static final ValueLayout.OfShort NETWORK_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private SocketAddresses() {}

    static int family(InetAddress address) {
        return address.getAddress().length == 4 ? AF_INET : AF_INET6;
    }

    static MemorySegment encode(Arena scratch, InetSocketAddress address) {
        byte[] ip = address.getAddress().getAddress();
        MemorySegment s = scratch.allocate(BYTES, 4);
        s.set(ValueLayout.JAVA_SHORT, 0, (short) family(address.getAddress()));
        s.set(NETWORK_SHORT, 2, (short) address.getPort());
        MemorySegment.copy(ip, 0, s, ValueLayout.JAVA_BYTE, ip.length == 4 ? ADDRESS4 : ADDRESS6, ip.length);
        if (address.getAddress() instanceof Inet6Address six) {
            s.set(ValueLayout.JAVA_INT, SCOPE, six.getScopeId());
        }
        return s;
    }

    static int length(InetSocketAddress address) {
        return family(address.getAddress()) == AF_INET ? SHORT_BYTES : BYTES;
    }

    static InetSocketAddress decode(MemorySegment s) {
        boolean four = s.get(ValueLayout.JAVA_SHORT, 0) == AF_INET;
        byte[] ip = new byte[four ? 4 : 16];
        MemorySegment.copy(s, ValueLayout.JAVA_BYTE, four ? ADDRESS4 : ADDRESS6, ip, 0, ip.length);
        int scope = four ? 0 : s.get(ValueLayout.JAVA_INT, SCOPE);
        try {
            InetAddress address =
                    scope == 0 ? InetAddress.getByAddress(ip) : Inet6Address.getByAddress(null, ip, scope);
            return new InetSocketAddress(address, Short.toUnsignedInt(s.get(NETWORK_SHORT, 2)));
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }
}
