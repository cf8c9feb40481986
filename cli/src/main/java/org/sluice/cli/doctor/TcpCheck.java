package org.sluice.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.NetDevice;
import org.sluice.linux.Sysctl;

/** The kernel's TCP parameters. */
final class TcpCheck implements Check {
    /** Less than this in a socket's buffer, and one channel cannot keep 1 GB/s under way over a round trip of 1 ms. */
    private static final long LEAST_BUFFER = 1L << 20;

    /** As much where a NIC has 100 Gbit/s and few channels share it. */
    private static final long FAST_BUFFER = 4L << 20;

    private static final long FAST_NIC = 100_000_000_000L;

    @Override
    public String name() {
        return "tcp";
    }

    @Override
    public List<Finding> look(Patient patient) {
        List<Finding> findings = new ArrayList<>();
        boolean fast =
                patient.nics().stream().mapToLong(NetDevice::bitsPerSecond).anyMatch(b -> b >= FAST_NIC);
        buffer(findings, "tcp_rmem", "receive", fast);
        buffer(findings, "tcp_wmem", "send", fast);
        mustBeOn(findings, "tcp_window_scaling", "no connection has more than 64 KiB under way");
        mustBeOn(findings, "tcp_sack", "one lost packet repeats a whole window");
        if (Sysctl.number("net/ipv4/tcp_slow_start_after_idle", 0) == 1) {
            findings.add(Finding.note(
                    name(),
                    "tcp_slow_start_after_idle",
                    "1: after a pause every connection starts slowly again",
                    "sysctl -w net.ipv4.tcp_slow_start_after_idle=0"));
        }
        long busyRead = Sysctl.number("net/core/busy_read", 0);
        findings.add(Finding.ok(
                name(),
                "busy polling",
                busyRead == 0 ? "off: receivers sleep until an interrupt" : "receivers poll for " + busyRead + " us"));
        return findings;
    }

    private void buffer(List<Finding> findings, String parameter, String direction, boolean fast) {
        long[] values = Sysctl.numbers("net/ipv4/" + parameter);
        if (values.length != 3) {
            return;
        }
        long most = values[2];
        String found = "the largest " + direction + " buffer has " + most + " bytes";
        String advice = "sysctl -w net.ipv4." + parameter + "=\"" + values[0] + " " + values[1] + " 67108864\"";
        if (most < LEAST_BUFFER) {
            findings.add(Finding.warning(name(), parameter, found + ": too few to keep a channel busy", advice));
        } else if (fast && most < FAST_BUFFER) {
            findings.add(Finding.warning(name(), parameter, found + ": few for a NIC of 100 Gbit/s", advice));
        } else {
            findings.add(Finding.ok(name(), parameter, found));
        }
    }

    private void mustBeOn(List<Finding> findings, String parameter, String consequence) {
        if (Sysctl.number("net/ipv4/" + parameter, 1) == 0) {
            findings.add(
                    Finding.warning(name(), parameter, "0: " + consequence, "sysctl -w net.ipv4." + parameter + "=1"));
        }
    }
}
