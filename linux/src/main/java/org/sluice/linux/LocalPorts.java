package org.sluice.linux;

/** The ports that the kernel gives to those who do not ask for one. */
public final class LocalPorts {
    private static final String RANGE = "net/ipv4/ip_local_port_range";

    private LocalPorts() {}

    /** What to say when none of them is left: {@code all of net.ipv4.ip_local_port_range (32768-60999) are in use; ...}. */
    public static String usedUp() {
        long[] range = Sysctl.numbers(RANGE);
        return "all of net.ipv4.ip_local_port_range" + (range.length == 2 ? " (" + range[0] + "-" + range[1] + ")" : "")
                + " are in use; widen it (sysctl -w net.ipv4.ip_local_port_range=\"10000 65000\") or end who has them";
    }
}
