package org.sluice.wire;

import java.util.ArrayList;
import java.util.List;
import org.sluice.spi.Nic;

/**
 * A NIC as the other side describes it.
 *
 * @param name its field name
 * @param addresses with prefix length, as {@link Nic#addresses()}
 * @param bitsPerSecond link speed, 0 where unknown
 * @param wire the same number for NICs of this side that share a cable
 */
public record RemoteNic(String name, List<String> addresses, long bitsPerSecond, int wire) {
    public static final int MOST_NICS = 64;
    public static final int MOST_ADDRESSES = 16;
    private static final int MOST_NAME = 64;
    private static final long MEGABIT = 1_000_000;

    public RemoteNic {
        addresses = List.copyOf(addresses);
    }

    public static RemoteNic of(Nic nic) {
        List<String> all = nic.addresses();
        return new RemoteNic(
                nic.name(), all.subList(0, Math.min(MOST_ADDRESSES, all.size())), nic.bitsPerSecond(), nic.wire());
    }

    /** Whether nobody on another host can reach it: every address it has leads back to its own host. */
    public boolean staysOnItsHost() {
        return !addresses.isEmpty() && addresses.stream().allMatch(a -> a.startsWith("127.") || a.startsWith("::1/"));
    }

    /** One of its addresses without the prefix length. */
    public String literal(int address) {
        String text = addresses.get(address);
        int slash = text.indexOf('/');
        return slash < 0 ? text : text.substring(0, slash);
    }

    static void encodeAll(PayloadWriter out, List<RemoteNic> nics) {
        out.u8(nics.size());
        for (RemoteNic n : nics) {
            out.text(n.name)
                    .u32((int) Math.min(n.bitsPerSecond / MEGABIT, Integer.MAX_VALUE))
                    .u8(n.wire)
                    .u8(n.addresses.size());
            n.addresses.forEach(out::text);
        }
    }

    /** Reads a list of NICs, each with its addresses. @throws org.sluice.ProtocolException if it is none */
    public static List<RemoteNic> decodeAll(PayloadReader in) {
        int count = in.within(in.u8(), 1, MOST_NICS, "NIC count");
        List<RemoteNic> nics = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String name = FrameSocket.printable(in.text(MOST_NAME));
            long speed = (long) in.within(in.u32(), 0, Integer.MAX_VALUE, "NIC speed") * MEGABIT;
            int wire = in.u8();
            int addresses = in.within(in.u8(), 0, MOST_ADDRESSES, "address count");
            List<String> list = new ArrayList<>(addresses);
            for (int a = 0; a < addresses; a++) {
                list.add(FrameSocket.printable(in.text(MOST_NAME)));
            }
            nics.add(new RemoteNic(name, list, speed, wire));
        }
        return nics;
    }
}
