package org.sluice.wire;

import java.util.ArrayList;
import java.util.List;
import org.sluice.spi.Nic;

/**
 * A NIC as the other side describes it.
 *
 * @param name its field name
 * @param addresses with prefix length, as {@link Nic#addresses()}
 * @param near whether it hangs on the same NUMA node as the link's GPU there
 */
public record RemoteNic(String name, List<String> addresses, boolean near) {
    public static final int MOST_NICS = 64;
    public static final int MOST_ADDRESSES = 16;
    private static final int MOST_NAME = 64;

    public RemoteNic {
        addresses = List.copyOf(addresses);
    }

    public static RemoteNic of(Nic nic, int gpuNumaNode) {
        return new RemoteNic(
                nic.name(),
                nic.addresses()
                        .subList(0, Math.min(MOST_ADDRESSES, nic.addresses().size())),
                gpuNumaNode >= 0 && gpuNumaNode == nic.numaNode());
    }

    /** Whether nobody on another host can reach it: every address it has leads back to its own host. */
    public boolean staysOnItsHost() {
        return !addresses.isEmpty() && addresses.stream().allMatch(a -> a.startsWith("127.") || a.startsWith("::1/"));
    }

    public static void encodeAll(PayloadWriter out, List<RemoteNic> nics) {
        out.u8(nics.size());
        for (RemoteNic n : nics) {
            out.text(n.name).u8(n.near ? 1 : 0).u8(n.addresses.size());
            n.addresses.forEach(out::text);
        }
    }

    public static List<RemoteNic> decodeAll(PayloadReader in) {
        int count = in.within(in.u8(), 1, MOST_NICS, "NIC count");
        List<RemoteNic> nics = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String name = in.text(MOST_NAME);
            boolean near = in.u8() != 0;
            int addresses = in.within(in.u8(), 0, MOST_ADDRESSES, "address count");
            List<String> list = new ArrayList<>(addresses);
            for (int a = 0; a < addresses; a++) {
                list.add(in.text(MOST_NAME));
            }
            nics.add(new RemoteNic(name, list, near));
        }
        return nics;
    }
}
